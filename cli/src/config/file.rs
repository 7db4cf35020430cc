//! Configuration files: YAML, read strictly.

use std::{collections::BTreeMap, path::Path};

use skrei_job::{
    Document, Problem, Problems,
    document::{Node, Tree},
};

use super::{
    key::{self, Key, Kind},
    keys::KEYS,
    value::{self, Value},
};
use crate::error::Error;

/// The values of a file, and whether it had none.
pub(super) fn read(path: &Path) -> Result<Vec<(&'static Key, Value)>, Error> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("configuration file `{shown}` cannot be read: {error}")))?;
    parse(&shown.to_string(), &text).map_err(Error::usage)
}

/// The values of a file's text, or everything that is wrong with it, for people.
pub(super) fn parse(path: &str, text: &str) -> Result<Vec<(&'static Key, Value)>, String> {
    if is_blank(text) {
        return Ok(Vec::new());
    }
    values(text).map_err(|problems| {
        let shown: Vec<_> = problems.iter().map(|problem| problem.show(path, text)).collect();
        shown.join("\n\n")
    })
}

/// A file of nothing but comments is a file without settings.
pub(super) fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn values(text: &str) -> Result<Vec<(&'static Key, Value)>, Problems> {
    let document = Document::parse(text)?;
    let mut reading = Reading::default();
    reading.section(&document.root, "");
    match Problems::new(reading.problems) {
        Some(problems) => Err(problems),
        None => Ok(reading.values),
    }
}

#[derive(Default)]
struct Reading {
    values: Vec<(&'static Key, Value)>,
    problems: Vec<Problem>,
}

impl Reading {
    /// Reads the keys below `prefix`, which is empty or ends in a dot.
    fn section(&mut self, node: &Node, prefix: &str) {
        let Tree::Map(entries) = &node.tree else {
            if !node.is_null() {
                let message = format!("keys and values are expected here, not {}", node.kind());
                self.problems.push(Problem::new(prefix.trim_end_matches('.'), message).at(node.at));
            }
            return;
        };
        for entry in entries {
            let name = format!("{prefix}{}", entry.key.text);
            match key::find(&name) {
                Some(key) => match value(key, &entry.value) {
                    // A key without a value is as good as none.
                    None => {}
                    Some(Ok(value)) => self.values.push((key, value)),
                    Some(Err(wrong)) => {
                        self.problems.push(Problem::new(key.name, wrong).at(entry.value.at.or(entry.at)));
                    }
                },
                None if is_section(&name) => self.section(&entry.value, &format!("{name}.")),
                None => self
                    .problems
                    .push(Problem::new(&name, "there is no such key").hint(key::hint(&name)).at(entry.at)),
            }
        }
    }
}

fn is_section(name: &str) -> bool {
    let prefix = format!("{}.", name.to_lowercase());
    KEYS.iter().any(|key| key.name.to_lowercase().starts_with(&prefix))
}

fn value(key: &Key, node: &Node) -> Option<Result<Value, String>> {
    match (&node.tree, key.kind) {
        (Tree::Scalar(scalar), _) if scalar.is_null() => None,
        (Tree::Scalar(scalar), _) => Some(Value::parse(key, &scalar.text)),
        (Tree::List(items), Kind::List) => Some(texts(items).map(Value::List)),
        (Tree::Map(entries), Kind::Map) => {
            let pair = |entry: &skrei_job::document::Entry| {
                Some((entry.key.text.clone(), entry.value.scalar()?.text.clone()))
            };
            let pairs: Option<BTreeMap<_, _>> = entries.iter().map(pair).collect();
            Some(pairs.map(Value::Map).ok_or_else(|| "the values must be texts".to_owned()))
        }
        (Tree::List(items), Kind::Map) => {
            let pairs = texts(items).and_then(|items| items.iter().map(|item| value::pair(item)).collect());
            Some(pairs.map(Value::Map))
        }
        _ => Some(Err(format!("a {} is expected here, not {}", key.kind.as_str(), node.kind()))),
    }
}

fn texts(items: &[Node]) -> Result<Vec<String>, String> {
    let text = |item: &Node| item.scalar().filter(|text| !text.text.is_empty()).map(|text| text.text.clone());
    items.iter().map(text).collect::<Option<_>>().ok_or_else(|| "each item must be a text".to_owned())
}
