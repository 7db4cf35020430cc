//! The tree of a document, and its conversion from and to JSON values.

use serde_json::{Map, Number, Value};

use super::scalar::{Meaning, Scalar, Style};

/// Line and column, both from 1, the column in characters.
pub type Place = (usize, usize);

/// One value of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it starts, if it came from text.
    pub at: Option<Place>,
    /// What it is.
    pub tree: Tree,
}

/// What a [`Node`] is.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A single value.
    Scalar(Scalar),
    /// Values in order.
    List(Vec<Node>),
    /// Keys, each once, with their values, in the order written.
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Where the key starts, if it came from text.
    pub at: Option<Place>,
    /// The key.
    pub key: Scalar,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// A value without a place.
    pub fn new(tree: Tree) -> Self {
        Self { at: None, tree }
    }

    /// `text`, `a number`, `a list`: for messages.
    pub fn kind(&self) -> &'static str {
        match &self.tree {
            Tree::List(_) => "a list",
            Tree::Map(_) => "a map",
            Tree::Scalar(scalar) => match scalar.meaning() {
                Meaning::Null => "nothing",
                Meaning::Boolean => "a boolean",
                Meaning::Number => "a number",
                Meaning::Text => "text",
            },
        }
    }

    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.tree {
            Tree::Scalar(scalar) => Some(scalar),
            Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// Whether it is a scalar that means nothing.
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// The same as a JSON value.
    ///
    /// A plain scalar becomes a number only if JSON would write it the same way, so that no digit is lost:
    /// `7` and `1.5` are numbers, `007`, `1.50` and `0x1F` stay texts.
    pub fn to_value(&self) -> Value {
        match &self.tree {
            Tree::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Tree::Map(entries) => Value::Object(
                entries.iter().map(|entry| (entry.key.text.clone(), entry.value.to_value())).collect(),
            ),
            Tree::Scalar(scalar) => scalar_to_value(scalar),
        }
    }
}

fn scalar_to_value(scalar: &Scalar) -> Value {
    match scalar.meaning() {
        Meaning::Null => Value::Null,
        Meaning::Boolean => Value::Bool(scalar.text.eq_ignore_ascii_case("true")),
        Meaning::Number => serde_json::from_str::<Number>(&scalar.text)
            .ok()
            .filter(|number| number.to_string() == scalar.text)
            .map_or_else(|| Value::String(scalar.text.clone()), Value::Number),
        Meaning::Text => Value::String(scalar.text.clone()),
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        Self::new(match value {
            Value::Null => Tree::Scalar(Scalar::plain("null")),
            Value::Bool(boolean) => Tree::Scalar(Scalar::plain(boolean.to_string())),
            Value::Number(number) => Tree::Scalar(Scalar::plain(number.to_string())),
            Value::String(text) => Tree::Scalar(Scalar::text(text.as_str())),
            Value::Array(items) => Tree::List(items.iter().map(Self::from).collect()),
            Value::Object(fields) => Tree::Map(entries(fields)),
        })
    }
}

fn entries(fields: &Map<String, Value>) -> Vec<Entry> {
    fields
        .iter()
        .map(|(key, value)| Entry {
            at: None,
            key: Scalar { text: key.clone(), style: Style::Quoted },
            value: Node::from(value),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_every_digit_on_its_way_to_json() {
        for (text, expected) in [
            ("7", Value::from(7)),
            ("-1", Value::from(-1)),
            ("1.5", Value::from(1.5)),
            ("007", Value::from("007")),
            ("1.50", Value::from("1.50")),
            ("123456789012345678901234567890", Value::from("123456789012345678901234567890")),
            (".inf", Value::from(".inf")),
        ] {
            assert_eq!(Node::new(Tree::Scalar(Scalar::plain(text))).to_value(), expected, "{text}");
        }
    }

    #[test]
    fn json_values_come_back() {
        let value = serde_json::json!({"a": [1, "1", true, "true", null, 1.5], "b": {"": "x"}});
        assert_eq!(Node::from(&value).to_value(), value);
    }
}
