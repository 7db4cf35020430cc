//! A configuration file with one key changed, and everything else as it was written: order, comments, spaces.

use serde_json::json;
use skrei_job::{
    Document,
    document::{Entry, Node, Tree},
};

use super::{file, key::Key, value::Value};

/// Spaces that set a section's keys off from its name, where the section has none yet.
const INDENT: usize = 2;

/// A value for a key, and the words it was given in, which are kept: `~/data` stays `~/data`.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// What is set.
    pub(crate) key: &'static Key,
    text: String,
    value: Value,
}

impl Setting {
    /// # Errors
    /// What is wrong with the value.
    pub(crate) fn parse(key: &'static Key, text: &str) -> Result<Self, String> {
        Ok(Self { key, text: text.trim().to_owned(), value: Value::parse(key, text)? })
    }

    fn written(&self) -> serde_json::Value {
        match &self.value {
            Value::Boolean(_) | Value::Port(_) | Value::List(_) | Value::Map(_) => {
                self.value.to_json(self.key)
            }
            _ => json!(self.text),
        }
    }
}

/// Why a file cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unchangeable {
    /// It is wrong already: what is wrong, for people.
    Wrong(String),
    /// It is written in a way that cannot be changed line by line, such as `{a: b}`.
    Form,
}

/// The file's text with a key set. `path` is for messages.
pub(crate) fn with(path: &str, text: &str, setting: &Setting) -> Result<String, Unchangeable> {
    changed(path, text, setting.key, Some(setting))
}

/// The file's text without a key.
pub(crate) fn without(path: &str, text: &str, key: &'static Key) -> Result<String, Unchangeable> {
    changed(path, text, key, None)
}

fn changed(
    path: &str,
    text: &str,
    key: &'static Key,
    setting: Option<&Setting>,
) -> Result<String, Unchangeable> {
    let before = file::parse(path, text).map_err(Unchangeable::Wrong)?;
    let edited = edited(text, key, setting).ok_or(Unchangeable::Form)?;
    // Whatever the editing below did: the file must now say what it said, but for this key.
    let expected = before
        .values
        .into_iter()
        .filter(|(other, _)| other.name != key.name)
        .chain(setting.map(|setting| (key, setting.value.clone())));
    let after = file::parse(path, &edited).map_err(|_| Unchangeable::Form)?;
    let sorted = |mut values: Vec<(&'static Key, Value)>| {
        values.sort_by_key(|(key, _)| key.name);
        values.into_iter().map(|(key, value)| (key.name, value)).collect::<Vec<_>>()
    };
    if sorted(after.values) == sorted(expected.collect()) { Ok(edited) } else { Err(Unchangeable::Form) }
}

fn edited(text: &str, key: &Key, setting: Option<&Setting>) -> Option<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let found =
        if file::is_blank(text) { Found::Nothing } else { find(&Document::parse(text).ok()?.root, key) };
    match (found, setting) {
        (Found::Entry { line, indent }, setting) => {
            let block = setting.map_or_else(Vec::new, |setting| block(last_step(key.name), setting, indent));
            lines.splice(line..end_of_block(&lines, line, indent), block);
        }
        (_, None) => {}
        (Found::Section { line, indent, missing }, Some(setting)) => {
            let block = block(missing, setting, indent);
            lines.splice(line + 1..line + 1, block);
        }
        (Found::Nothing, Some(setting)) => lines.extend(block(key.name, setting, 0)),
    }
    Some(lines.into_iter().map(|line| line + "\n").collect())
}

/// How much of a key's path a file has.
enum Found<'key> {
    /// All of it: where the key stands.
    Entry {
        line: usize,
        indent: usize,
    },
    /// The section up to here, and what is missing of the path: where its name stands, and how far in its keys are.
    Section {
        line: usize,
        indent: usize,
        missing: &'key str,
    },
    Nothing,
}

fn find<'key>(root: &Node, key: &'key Key) -> Found<'key> {
    let (mut found, mut node, mut path) = (Found::Nothing, root, key.name);
    loop {
        let Tree::Map(entries) = &node.tree else { return found };
        let (step, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some(entry) = entries.iter().find(|entry| entry.key.text.eq_ignore_ascii_case(step)) else {
            return found;
        };
        let Some((line, column)) = entry.at else { return found };
        let (line, column) = (line - 1, column - 1);
        if rest.is_empty() {
            return Found::Entry { line, indent: column };
        }
        let indent = first_child(entry).unwrap_or(column + INDENT);
        found = Found::Section { line, indent, missing: rest };
        (node, path) = (&entry.value, rest);
    }
}

/// How far in a section's keys are.
fn first_child(section: &Entry) -> Option<usize> {
    match &section.value.tree {
        Tree::Map(entries) => entries.first()?.at.map(|(_, column)| column - 1),
        _ => None,
    }
}

fn last_step(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The line after everything that belongs to the key on `line`: lines further in, and the items of a list, which
/// may stand as far in as their key. Comments and empty lines after it belong to what follows.
fn end_of_block(lines: &[String], line: usize, indent: usize) -> usize {
    let mut end = line + 1;
    for (at, next) in lines.iter().enumerate().skip(line + 1) {
        let content = next.trim_start();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let depth = next.len() - content.len();
        if depth > indent || (depth == indent && (content == "-" || content.starts_with("- "))) {
            end = at + 1;
        } else {
            break;
        }
    }
    end
}

/// The lines that set a value at a path below `indent`.
fn block(path: &str, setting: &Setting, indent: usize) -> Vec<String> {
    let nested = path.rsplit('.').fold(setting.written(), |inner, step| json!({ step: inner }));
    let text = Document { root: Node::from(&nested) }.to_yaml();
    text.lines().map(|line| format!("{}{line}", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::key, *};

    fn set(text: &str, name: &str, value: &str) -> Result<String, Unchangeable> {
        let key = key::find(name).unwrap();
        with("config.yaml", text, &Setting::parse(key, value).unwrap())
    }

    const FILE: &str = "# fleet\nAPI:\n  Host: 10.0.0.1   # ours\n  # the port\n  Port: 1234\n\nCompute:\n  AllowListedLocalPaths:\n  - /a:rw\n  - /b\n  Enabled: true\n";

    #[test]
    fn a_value_changes_and_everything_else_stays() {
        assert_eq!(set(FILE, "API.Port", "80").unwrap(), FILE.replace("Port: 1234", "Port: 80"));
        assert_eq!(
            set(FILE, "compute.allowlistedlocalpaths", "/x:rw").unwrap(),
            FILE.replace("  - /a:rw\n  - /b\n", "    - /x:rw\n")
        );
    }

    #[test]
    fn a_new_key_joins_its_section_or_makes_one() {
        assert_eq!(
            set(FILE, "Compute.Heartbeat.Interval", "5s").unwrap(),
            FILE.replace("Compute:\n", "Compute:\n  Heartbeat:\n    Interval: 5s\n")
        );
        assert_eq!(set("", "Labels", "a=b").unwrap(), "Labels:\n  a: b\n");
        assert_eq!(
            set("# nothing yet\n", "Orchestrator.Port", "1").unwrap(),
            "# nothing yet\nOrchestrator:\n  Port: 1\n"
        );
        assert_eq!(set("API:\n", "API.Port", "1").unwrap(), "API:\n  Port: 1\n");
    }

    #[test]
    fn a_key_goes_and_comes_back() {
        let key = key::find("API.Port").unwrap();
        let gone = without("f", FILE, key).unwrap();
        assert_eq!(gone, FILE.replace("  Port: 1234\n", ""));
        assert_eq!(without("f", &gone, key).unwrap(), gone);
    }

    #[test]
    fn text_that_looks_like_something_else_stays_text() {
        let after = set("", "API.Host", "a: b # c").unwrap();
        let key = key::find("API.Host").unwrap();
        assert_eq!(
            file::parse("f", &after).unwrap().values[0].1,
            Value::parse(key, "a: b # c").unwrap(),
            "{after}"
        );
    }

    #[test]
    fn what_cannot_be_changed_line_by_line_is_left_alone() {
        assert_eq!(set("API: {Host: a, Port: 1}\n", "API.Port", "2"), Err(Unchangeable::Form));
        assert!(matches!(set("API: [\n", "API.Port", "2"), Err(Unchangeable::Wrong(_))));
        assert!(matches!(set("Nonsense: 1\n", "API.Port", "2"), Err(Unchangeable::Wrong(_))));
    }
}
