//! Reading one object: its fields by name, each with the type that is wanted.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::shape::{self, SERVER_OWNED, Shape};
use crate::{
    document::{Entry, Meaning, Node, Scalar, Style, Tree, integer},
    path::Path,
    problem::{Problem, quoted},
    secret,
};

/// Reads objects and keeps what was wrong with them.
pub(crate) struct Reader {
    strict: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// The known fields of one object that are there and not null, by canonical name.
pub(crate) struct Fields<'node> {
    path: Path,
    by_name: BTreeMap<&'static str, &'node Node>,
}

impl Reader {
    /// For files: what is unknown is a problem.
    pub(crate) fn strict() -> Self {
        Self { strict: true, problems: Vec::new(), warnings: Vec::new() }
    }

    /// For request bodies: what is unknown is ignored.
    pub(crate) fn lenient() -> Self {
        Self { strict: false, ..Self::strict() }
    }

    /// The fields of an object of this shape.
    pub(crate) fn fields<'node>(&mut self, node: &'node Node, path: Path, shape: &Shape) -> Fields<'node> {
        let mut fields = Fields { path, by_name: BTreeMap::new() };
        let Tree::Map(entries) = &node.tree else {
            if !node.is_null() || self.strict {
                self.wrong_type(&fields.path, node, &format!("a map with the fields of {}", shape.name));
            }
            return fields;
        };
        for entry in entries {
            match shape.fields.iter().find(|name| name.eq_ignore_ascii_case(&entry.key.text)) {
                Some(_) if entry.value.is_null() => {}
                Some(name) => {
                    if fields.by_name.insert(name, &entry.value).is_some() {
                        let message =
                            format!("{} is there twice, in different cases", quoted(&entry.key.text));
                        self.problems.push(Problem::new(fields.path.key(name), message).at(entry.at));
                    }
                }
                None => self.unknown(&fields.path, entry, shape),
            }
        }
        fields
    }

    /// A text; empty if absent. Numbers and booleans are taken as they were written.
    pub(crate) fn text(&mut self, fields: &Fields<'_>, name: &'static str) -> String {
        let Some(node) = fields.by_name.get(name) else { return String::new() };
        self.text_of(node, &fields.path.key(name))
    }

    /// An integer, also from a text that reads as one: template variables are texts.
    pub(crate) fn integer(&mut self, fields: &Fields<'_>, name: &'static str) -> Option<i64> {
        let node = fields.by_name.get(name)?;
        let read = node.scalar().and_then(|scalar| integer(scalar.text.trim()));
        if read.is_none() {
            let path = fields.path.key(name);
            match node.scalar() {
                Some(scalar) if matches!(scalar.meaning(), Meaning::Number | Meaning::Text) => {
                    let message = format!("{} is not a whole number", shown(scalar));
                    self.problems.push(Problem::new(path, message).at(node.at));
                }
                _ => self.wrong_type(&path, node, "a whole number"),
            }
        }
        read
    }

    /// A list of texts; empty if absent.
    pub(crate) fn texts(&mut self, fields: &Fields<'_>, name: &'static str) -> Vec<String> {
        self.list(fields, name, |reader, node, path| reader.text_of(node, &path))
    }

    /// A list; empty if absent.
    pub(crate) fn list<T>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        item: impl Fn(&mut Self, &Node, Path) -> T,
    ) -> Vec<T> {
        let Some(node) = fields.by_name.get(name) else { return Vec::new() };
        let path = fields.path.key(name);
        match &node.tree {
            Tree::List(items) => {
                items.iter().enumerate().map(|(index, node)| item(self, node, path.index(index))).collect()
            }
            Tree::Scalar(_) | Tree::Map(_) => {
                self.wrong_type(&path, node, "a list");
                Vec::new()
            }
        }
    }

    /// An object; its default if absent.
    pub(crate) fn object<T: Default>(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
        read: impl Fn(&mut Self, &Node, Path) -> T,
    ) -> T {
        match fields.by_name.get(name) {
            Some(node) => read(self, node, fields.path.key(name)),
            None => T::default(),
        }
    }

    /// A map from any name to a text.
    pub(crate) fn texts_by_name(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> BTreeMap<String, String> {
        let Some(entries) = self.entries(fields, name) else { return BTreeMap::new() };
        entries
            .into_iter()
            .map(|(key, node, path)| {
                let text = if node.is_null() { String::new() } else { self.text_of(node, &path) };
                (key.to_owned(), text)
            })
            .collect()
    }

    /// A map from any name to anything.
    pub(crate) fn values_by_name(&mut self, fields: &Fields<'_>, name: &'static str) -> Map<String, Value> {
        let Some(entries) = self.entries(fields, name) else { return Map::new() };
        entries.into_iter().map(|(key, node, _)| (key.to_owned(), node.to_value())).collect()
    }

    /// A map from any name to a text. What a template variable gave is no reference to a secret: whoever chooses a
    /// value does not choose secrets.
    pub(crate) fn environment(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> BTreeMap<String, String> {
        let entries = match fields.by_name.get(name).map(|node| &node.tree) {
            Some(Tree::Map(entries)) => entries.as_slice(),
            _ => &[],
        };
        let forged =
            |scalar: &Scalar| scalar.style == Style::Value && secret::referenced(&scalar.text).is_some();
        for entry in entries.iter().filter(|entry| entry.value.scalar().is_some_and(forged)) {
            let message =
                "the value from a template variable starts with `secret:`, which only the job file may say";
            self.problems.push(
                Problem::new(fields.path.key(name).key(&entry.key.text), message)
                    .at(entry.value.at)
                    .hint("write `{{secret \"NAME\"}}` with the secret's name"),
            );
        }
        self.texts_by_name(fields, name)
    }

    fn entries<'node>(
        &mut self,
        fields: &Fields<'node>,
        name: &'static str,
    ) -> Option<Vec<(&'node str, &'node Node, Path)>> {
        let node = *fields.by_name.get(name)?;
        let path = fields.path.key(name);
        let Tree::Map(entries) = &node.tree else {
            self.wrong_type(&path, node, "a map");
            return None;
        };
        let entry = |entry: &'node Entry| (entry.key.text.as_str(), &entry.value, path.key(&entry.key.text));
        Some(entries.iter().map(entry).collect())
    }

    fn text_of(&mut self, node: &Node, path: &Path) -> String {
        match node.scalar() {
            Some(scalar) if !scalar.is_null() => scalar.text.clone(),
            _ => {
                if self.strict || !node.is_null() {
                    self.wrong_type(path, node, "text");
                }
                String::new()
            }
        }
    }

    fn wrong_type(&mut self, path: &Path, node: &Node, wanted: &str) {
        let message = format!("{wanted} is wanted here, not {}", node.kind());
        self.problems.push(Problem::new(path, message).at(node.at));
    }

    fn unknown(&mut self, path: &Path, Entry { key, value, at }: &Entry, shape: &Shape) {
        let at = *at;
        let at_top = path.steps().is_empty();
        let server_owned =
            SERVER_OWNED.iter().find(|name| at_top && name.eq_ignore_ascii_case(&key.text)).copied();
        match (self.strict, server_owned) {
            (true, Some(name)) => self.problems.push(
                Problem::new(path.key(name), "only the orchestrator sets this field")
                    .at(at)
                    .hint("remove the line; to change an existing job, submit a file with the same `Name`"),
            ),
            (false, Some(_)) if is_unset(value) => {}
            (false, Some(name)) => self
                .warnings
                .push(Problem::new(path.key(name), "ignored: only the orchestrator sets this field").at(at)),
            (true, None) if key.style == Style::Value => {
                let message = format!("unknown field of {}, named by {}", shape.name, shown(key));
                self.problems.push(Problem::new(path.key("{{...}}"), message).at(at));
            }
            (true, None) => self.problems.push(
                Problem::new(path.key(&key.text), format!("unknown field of {}", shape.name))
                    .at(at)
                    .hint(shape::hint(shape, &key.text)),
            ),
            (false, None) => {}
        }
    }
}

/// Whether nobody gave this a value: clients in Go send every field, and leave what they do not set as it is there
/// before anybody does.
fn is_unset(node: &Node) -> bool {
    match &node.tree {
        Tree::Scalar(scalar) => {
            scalar.is_null()
                || matches!(scalar.text.as_str(), "" | "0")
                || scalar.text.eq_ignore_ascii_case("Undefined")
        }
        Tree::List(items) => items.is_empty(),
        Tree::Map(entries) => entries.iter().all(|entry| is_unset(&entry.value)),
    }
}

/// A scalar in a message: never the value of a template variable.
fn shown(scalar: &Scalar) -> String {
    if scalar.style == Style::Value {
        format!("the value from a template variable ({} bytes)", scalar.text.len())
    } else {
        quoted(&scalar.text)
    }
}
