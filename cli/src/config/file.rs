//! Configuration files: YAML, read strictly.

use std::{collections::BTreeMap, path::Path};

use skrei_job::{
    Document, Problem, Problems,
    document::{Entry, Node, Tree},
};

use super::{
    key::{self, Key, Kind},
    keys::keys,
    older::{self, Now},
    users,
    value::{self, Value},
};
use crate::error::Error;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Keys and their values.
    pub(super) values: Vec<(&'static Key, Value)>,
    /// What is understood, but better written otherwise.
    pub(super) warnings: Vec<String>,
}

/// What a file says.
pub(super) fn read(path: &Path) -> Result<Content, Error> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::usage(format!("configuration file `{shown}` cannot be read: {error}")))?;
    parse(&shown.to_string(), &text).map_err(Error::usage)
}

/// What a file's text says, or everything that is wrong with it, for people.
pub(super) fn parse(path: &str, text: &str) -> Result<Content, String> {
    if is_blank(text) {
        return Ok(Content::default());
    }
    content(path, text).map_err(|problems| {
        let shown: Vec<_> = problems.iter().map(|problem| problem.show(path, text)).collect();
        shown.join("\n\n")
    })
}

/// A file of nothing but comments is a file without settings.
pub(super) fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

fn content(path: &str, text: &str) -> Result<Content, Problems> {
    let document = Document::parse(text)?;
    let mut reading = Reading::default();
    reading.section(&document.root, "");
    match Problems::new(reading.problems) {
        Some(problems) => Err(problems),
        None => Ok(Content { warnings: warnings(path, &reading.older), values: reading.values }),
    }
}

fn warnings(path: &str, older: &[(String, String)]) -> Vec<String> {
    let lines: Vec<_> = older.iter().map(|(name, now)| format!("  {name}: {now}")).collect();
    if lines.is_empty() {
        return Vec::new();
    }
    vec![format!("`{path}` has names of older versions or of Bacalhau:\n{}", lines.join("\n"))]
}

#[derive(Default)]
struct Reading {
    values: Vec<(&'static Key, Value)>,
    problems: Vec<Problem>,
    /// Names that are not ours, and what is to be said of them.
    older: Vec<(String, String)>,
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
                    Some(Ok(value)) => self.take(key, value),
                    Some(Err(wrong)) => {
                        self.problems.push(Problem::new(key.name, wrong).at(entry.value.at.or(entry.at)));
                    }
                },
                None if let Some(now) = older::find(&name) => self.older(&name, now, entry),
                None if is_section(&name) => self.section(&entry.value, &format!("{name}.")),
                None => self
                    .problems
                    .push(Problem::new(&name, "there is no such key").hint(key::hint(&name)).at(entry.at)),
            }
        }
    }
}

impl Reading {
    /// Takes a setting under the name that it has now.
    fn older(&mut self, name: &str, now: Now, entry: &Entry) {
        let keys = match now {
            Now::Key(key) => vec![key],
            Now::Both(one, other) => vec![one, other],
            Now::Roles => return self.roles(name, entry),
            Now::Nothing(why) => {
                self.older.push((name.to_owned(), format!("means nothing here: {why}")));
                return;
            }
            // Whoever wrote it relies on it: to go on without would open what was closed.
            Now::Refused(why) => {
                self.problems.push(Problem::new(name, why).at(entry.at));
                return;
            }
        };
        self.older.push((name.to_owned(), format!("is now {}", keys.join(" and "))));
        for key in keys.into_iter().filter_map(key::find) {
            match value(key, &entry.value) {
                None => {}
                Some(Ok(value)) => self.take_unless_set(key, value),
                Some(Err(wrong)) => {
                    self.problems.push(Problem::new(name, wrong).at(entry.value.at.or(entry.at)));
                }
            }
        }
    }

    fn roles(&mut self, name: &str, entry: &Entry) {
        let words = match &entry.value.tree {
            Tree::List(items) => texts(items).map(|items| items.join(",")),
            _ => entry.value.scalar().map(|scalar| scalar.text.clone()).ok_or_else(|| "roles".to_owned()),
        };
        match words.and_then(|words| older::roles(&words)) {
            Ok(keys) => {
                let names: Vec<_> = keys.iter().map(|key| format!("{}: true", key.name)).collect();
                self.older.push((name.to_owned(), format!("is now {}", names.join(" and "))));
                keys.into_iter().for_each(|key| self.take_unless_set(key, Value::Boolean(true)));
            }
            Err(wrong) => self.problems.push(Problem::new(name, wrong).at(entry.value.at.or(entry.at))),
        }
    }

    /// A key's own name counts more than an older one, wherever the two stand.
    fn take_unless_set(&mut self, key: &'static Key, value: Value) {
        if !self.values.iter().any(|(set, _)| set.name == key.name) {
            self.values.push((key, value));
        }
    }

    fn take(&mut self, key: &'static Key, value: Value) {
        self.values.retain(|(set, _)| set.name != key.name);
        self.values.push((key, value));
    }
}

fn is_section(name: &str) -> bool {
    let prefix = format!("{}.", name.to_lowercase());
    keys().any(|key| key.name.to_lowercase().starts_with(&prefix)) || older::is_section(name)
}

fn value(key: &Key, node: &Node) -> Option<Result<Value, String>> {
    match (&node.tree, key.kind) {
        (Tree::Scalar(scalar), _) if scalar.is_null() => None,
        (Tree::Scalar(scalar), _) => Some(Value::parse(key, &scalar.text)),
        (Tree::List(_), Kind::Users) => Some(users::read(node).map(Value::Users)),
        (Tree::List(items), Kind::List) => Some(texts(items).map(Value::List)),
        (Tree::Map(entries), Kind::Map) => {
            let pair = |entry: &Entry| Some((entry.key.text.clone(), entry.value.scalar()?.text.clone()));
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
