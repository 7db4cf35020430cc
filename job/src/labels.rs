//! Labels, and the requirements a job puts on those of a node.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Names and values attached to a job or a node, in name order.
pub type Labels = BTreeMap<String, String>;

/// How a requirement compares (Kubernetes selector semantics, reference 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// The label has exactly this value.
    #[serde(rename = "=", alias = "==")]
    Equals,
    /// The label is absent or has another value.
    #[serde(rename = "!=")]
    NotEquals,
    /// The label has one of these values.
    #[serde(rename = "in")]
    In,
    /// The label is absent or has none of these values.
    #[serde(rename = "notin")]
    NotIn,
    /// The label is there, whatever its value.
    #[serde(rename = "exists")]
    Exists,
    /// The label is not there.
    #[serde(rename = "!")]
    DoesNotExist,
    /// The label is an integer greater than the value.
    #[serde(rename = "gt")]
    GreaterThan,
    /// The label is an integer less than the value.
    #[serde(rename = "lt")]
    LessThan,
}

impl Operator {
    /// Every operator with the ways to write it, the canonical one first.
    pub const SPELLINGS: &[(&str, Operator)] = &[
        ("=", Operator::Equals),
        ("==", Operator::Equals),
        ("!=", Operator::NotEquals),
        ("in", Operator::In),
        ("notin", Operator::NotIn),
        ("exists", Operator::Exists),
        ("!", Operator::DoesNotExist),
        ("gt", Operator::GreaterThan),
        ("lt", Operator::LessThan),
    ];

    /// Reads one of [`Operator::SPELLINGS`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::SPELLINGS.iter().find(|(spelling, _)| *spelling == text).map(|(_, operator)| *operator)
    }

    /// The canonical spelling.
    pub fn as_str(self) -> &'static str {
        Self::SPELLINGS.iter().find(|(_, operator)| *operator == self).map_or("=", |(spelling, _)| spelling)
    }
}

/// One condition on the labels of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Requirement {
    /// The label's name.
    pub key: String,
    /// How to compare.
    pub operator: Operator,
    /// What to compare with: one value, several for `in` and `notin`, none for `exists` and `!`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether these labels satisfy the requirement.
    pub fn matches(&self, labels: &Labels) -> bool {
        let label = labels.get(&self.key);
        let first = || self.values.first();
        let integers = || Some((label?.parse::<i64>().ok()?, first()?.parse::<i64>().ok()?));
        match self.operator {
            Operator::Equals => label.is_some() && label == first(),
            Operator::NotEquals => label.is_none() || label != first(),
            Operator::In => label.is_some_and(|label| self.values.contains(label)),
            Operator::NotIn => label.is_none_or(|label| !self.values.contains(label)),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::GreaterThan => integers().is_some_and(|(label, value)| label > value),
            Operator::LessThan => integers().is_some_and(|(label, value)| label < value),
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match self.operator {
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::In | Operator::NotIn => {
                write!(f, "{key} {} ({})", self.operator.as_str(), self.values.join(","))
            }
            _ => write!(f, "{key} {} {}", self.operator.as_str(), self.values.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(operator: Operator, values: &[&str]) -> Requirement {
        Requirement {
            key: "zone".into(),
            operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }
    }

    #[test]
    fn an_absent_label_satisfies_only_the_negative_operators() {
        let none = Labels::new();
        let satisfied: Vec<_> = [
            requirement(Operator::Equals, &["a"]),
            requirement(Operator::NotEquals, &["a"]),
            requirement(Operator::In, &["a"]),
            requirement(Operator::NotIn, &["a"]),
            requirement(Operator::Exists, &[]),
            requirement(Operator::DoesNotExist, &[]),
            requirement(Operator::GreaterThan, &["1"]),
            requirement(Operator::LessThan, &["1"]),
        ]
        .into_iter()
        .filter(|requirement| requirement.matches(&none))
        .map(|requirement| requirement.operator.as_str())
        .collect();
        assert_eq!(satisfied, ["!=", "notin", "!"]);
    }

    #[test]
    fn comparisons_are_of_integers_and_fail_on_anything_else() {
        let labels = Labels::from([("zone".into(), "10".into())]);
        assert!(requirement(Operator::GreaterThan, &["9"]).matches(&labels));
        assert!(!requirement(Operator::LessThan, &["9"]).matches(&labels));
        assert!(!requirement(Operator::GreaterThan, &["x"]).matches(&labels));
    }
}
