//! The free-form parameters of an engine, source or publisher, read with the types that are wanted.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{
    path::Path,
    problem::{Problem, listed, nearest, quoted},
};

/// Parameters by canonical name; null counts as absent.
pub(super) struct Params<'a> {
    path: Path,
    by_name: BTreeMap<&'static str, &'a Value>,
    /// Names that something unknown was probably meant to be; that they are missing is no second problem.
    misspelt: Vec<&'static str>,
}

impl<'a> Params<'a> {
    /// Names are compared without regard to case; unknown ones are problems. `owner` is for messages.
    pub(super) fn read(
        params: &'a Map<String, Value>,
        path: Path,
        owner: &str,
        known: &'static [&'static str],
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut by_name = BTreeMap::new();
        let mut misspelt = Vec::new();
        for (written, value) in params {
            match known.iter().find(|name| name.eq_ignore_ascii_case(written)) {
                _ if value.is_null() => {}
                Some(name) => {
                    if by_name.insert(*name, value).is_some() {
                        let message = "is there twice, in different cases";
                        problems.push(Problem::new(path.key(written), message));
                    }
                }
                None => {
                    let near = nearest(written, known.iter().copied());
                    misspelt.extend(near);
                    let hint = match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if known.is_empty() => format!("{owner} takes no parameters"),
                        None => format!("{owner} takes {}", listed(known.iter().copied())),
                    };
                    let message = format!("unknown parameter of {owner}");
                    problems.push(Problem::new(path.key(written), message).hint(hint));
                }
            }
        }
        Self { path, by_name, misspelt }
    }

    /// The path of one parameter.
    pub(super) fn path(&self, name: &str) -> Path {
        self.path.key(name)
    }

    /// A text; numbers and booleans as they were written.
    pub(super) fn text(&self, name: &str, problems: &mut Vec<Problem>) -> Option<String> {
        let value = self.by_name.get(name)?;
        let text = as_text(value);
        if text.is_none() {
            self.wrong_type(name, "text", value, problems);
        }
        text
    }

    /// A text that must be there and not blank.
    pub(super) fn required(&self, name: &str, hint: &str, problems: &mut Vec<Problem>) -> Option<String> {
        let before = problems.len();
        let text = self.text(name, problems).filter(|text| !text.trim().is_empty());
        if text.is_none() && problems.len() == before && !self.misspelt.contains(&name) {
            problems.push(Problem::new(self.path(name), format!("`{name}` is required")).hint(hint));
        }
        text
    }

    /// A list of texts.
    pub(super) fn texts(&self, name: &str, problems: &mut Vec<Problem>) -> Vec<String> {
        let Some(value) = self.by_name.get(name) else { return Vec::new() };
        let Value::Array(items) = value else {
            self.wrong_type(name, "a list of texts", value, problems);
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match as_text(item) {
                Some(text) => texts.push(text),
                None => {
                    let message = format!("text is wanted here, not {}", kind(item));
                    problems.push(Problem::new(self.path(name).index(index), message));
                }
            }
        }
        texts
    }

    /// Whether it is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// A map from any name to a text, with the path of each.
    pub(super) fn texts_by_name(
        &self,
        name: &str,
        problems: &mut Vec<Problem>,
    ) -> Vec<(&'a str, String, Path)> {
        let Some(&value) = self.by_name.get(name) else { return Vec::new() };
        let Value::Object(entries) = value else {
            self.wrong_type(name, "a map", value, problems);
            return Vec::new();
        };
        let mut texts = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            let path = self.path(name).key(key);
            match as_text(item) {
                Some(text) => texts.push((key.as_str(), text, path)),
                None => problems.push(Problem::new(path, format!("text is wanted here, not {}", kind(item)))),
            }
        }
        texts
    }

    /// A boolean, or a text that reads as one.
    pub(super) fn boolean(&self, name: &str, problems: &mut Vec<Problem>) -> bool {
        let Some(value) = self.by_name.get(name) else { return false };
        match as_text(value).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false" | "") => false,
            Some(other) => {
                let message = format!("{} is neither `true` nor `false`", quoted(other));
                problems.push(Problem::new(self.path(name), message));
                false
            }
            None => {
                self.wrong_type(name, "`true` or `false`", value, problems);
                false
            }
        }
    }

    fn wrong_type(&self, name: &str, wanted: &str, value: &Value, problems: &mut Vec<Problem>) {
        let message = format!("{wanted} is wanted here, not {}", kind(value));
        problems.push(Problem::new(self.path(name), message));
    }
}

/// A scalar as it was written.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// Spells known parameter names the canonical way and drops nulls. A name that is there twice stays as it was
/// written, for [`Params::read`] to find.
pub(super) fn canonical(params: &mut Map<String, Value>, known: &[&str]) {
    for (written, value) in std::mem::take(params) {
        if value.is_null() {
            continue;
        }
        let name =
            known.iter().find(|name| name.eq_ignore_ascii_case(&written) && !params.contains_key(**name));
        params.insert(name.map_or(written, |name| (*name).to_owned()), value);
    }
}

/// Makes every number and boolean of a list the text it was written as, and drops an empty list.
pub(super) fn texts_as_written(params: &mut Map<String, Value>, name: &str) {
    match params.get_mut(name) {
        Some(Value::Array(items)) if items.is_empty() => {
            params.remove(name);
        }
        Some(Value::Array(items)) => {
            for item in items {
                if let Some(text) = as_text(item) {
                    *item = Value::String(text);
                }
            }
        }
        _ => {}
    }
}
