//! What a guest tells its host while it runs: how far it is, and what it found (docs/reference/guest-contract.md).
//!
//! All of it is a guest's word: data from a stranger, within these bounds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The longest line a guest may tell, in bytes; a longer one is dropped whole.
pub const LINE_BYTES_MAX: usize = 16 << 10;

/// The longest message beside a share of progress, in characters; the rest is cut off.
pub const MESSAGE_CHARS_MAX: usize = 200;

/// The longest key of a value, in bytes.
pub const KEY_BYTES_MAX: usize = 128;

/// How many values one execution may have.
pub const VALUES_MAX: usize = 64;

/// How much one execution's values may come to, keys and JSON together, in bytes.
pub const VALUES_BYTES_MAX: usize = 16 << 10;

/// How far a guest is. The latest word counts; none is kept once it has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The share done of all there is to do, from 0 to 1.
    pub fraction: f64,
    /// What it is doing; one line.
    pub message: String,
}

/// What a guest found: JSON by key. Of several under one key the latest counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(BTreeMap<String, serde_json::Value>);

/// One thing a guest tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// How far it is.
    Progress(Progress),
    /// What it found.
    Value {
        /// Its name.
        key: String,
        /// Anything.
        value: serde_json::Value,
    },
}

/// What is wrong with what a guest tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// Not a share.
    #[error("a share of all there is to do is a number from 0 to 1")]
    Fraction,
    /// Not a name.
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes, and no control characters")]
    Key,
    /// Not a value.
    #[error("the value is not JSON")]
    Json,
    /// Too long for one message.
    #[error("one message has {LINE_BYTES_MAX} bytes at most")]
    Length,
    /// One too many.
    #[error("there is no room for the value: {VALUES_MAX} of {VALUES_BYTES_MAX} bytes together are the most")]
    Room,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Written {
    Progress {
        fraction: f64,
        #[serde(default)]
        message: String,
    },
    Value {
        key: String,
        value: serde_json::Value,
    },
}

impl Message {
    /// Reads one line. None if it is no message, or one that is out of bounds.
    pub fn parse(line: &[u8]) -> Option<Self> {
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        match serde_json::from_slice(line).ok()? {
            Written::Progress { fraction, message } => {
                Progress::new(fraction, &message).ok().map(Self::Progress)
            }
            Written::Value { key, value } => Self::value(key, value).ok(),
        }
    }

    /// A value under a key.
    ///
    /// # Errors
    /// [`Unsound::Key`].
    pub fn value(key: String, value: serde_json::Value) -> Result<Self, Unsound> {
        let is_name = !key.is_empty() && key.len() <= KEY_BYTES_MAX && !key.contains(char::is_control);
        if is_name { Ok(Self::Value { key, value }) } else { Err(Unsound::Key) }
    }
}

impl Progress {
    /// A share done, and what is being done, of which what is too long is cut off.
    ///
    /// # Errors
    /// [`Unsound::Fraction`].
    pub fn new(fraction: f64, message: &str) -> Result<Self, Unsound> {
        if (0.0..=1.0).contains(&fraction) {
            Ok(Self { fraction, message: one_line(message) })
        } else {
            Err(Unsound::Fraction)
        }
    }

    /// The share in whole percent.
    pub fn percent(&self) -> u8 {
        // A cast of a float takes what is out of bounds to the nearest bound.
        (self.fraction * 100.0).round() as u8
    }

    /// As it may be shown, whoever made it.
    #[must_use]
    pub fn sound(&self) -> Self {
        let fraction = if self.fraction.is_finite() { self.fraction.clamp(0.0, 1.0) } else { 0.0 };
        Self { fraction, message: one_line(&self.message) }
    }
}

impl Values {
    /// Adds a value, or puts it in the place of the one before. False if there is no room for it.
    pub fn insert(&mut self, key: String, value: serde_json::Value) -> bool {
        let before = self.0.get(&key).map_or(0, |value| size(&key, value));
        let is_new = !self.0.contains_key(&key);
        let bytes = self.bytes() - before + size(&key, &value);
        if bytes > VALUES_BYTES_MAX || (is_new && self.0.len() >= VALUES_MAX) {
            return false;
        }
        self.0.insert(key, value);
        true
    }

    /// By key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &serde_json::Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same as far as they are within bounds, whoever made them.
    #[must_use]
    pub fn sound(self) -> Self {
        let mut sound = Self::default();
        for (key, value) in self.0 {
            if key.len() <= KEY_BYTES_MAX && !key.contains(char::is_control) {
                sound.insert(key, value);
            }
        }
        sound
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(key, value)| size(key, value)).sum()
    }
}

impl From<Values> for BTreeMap<String, serde_json::Value> {
    fn from(values: Values) -> Self {
        values.0
    }
}

fn size(key: &str, value: &serde_json::Value) -> usize {
    key.len() + value.to_string().len()
}

fn one_line(text: &str) -> String {
    let shown = text.chars().take(MESSAGE_CHARS_MAX);
    shown.map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_is_a_message_or_nothing() {
        let progress = Message::parse(br#"{"progress": {"fraction": 0.5, "message": "half\u001b[2J"}}"#);
        let Some(Message::Progress(progress)) = progress else { panic!("{progress:?}") };
        assert_eq!(
            (progress.percent(), progress.message.as_str()),
            (50, "half [2J"),
            "no control characters"
        );
        let value = Message::parse(br#"{"value": {"key": "files", "value": {"a": [1]}}}"#);
        assert_eq!(value, Some(Message::Value { key: "files".into(), value: json!({"a": [1]}) }));
        for refused in [
            r#""#,
            r#"{"progress": {"fraction": 1.5}}"#,
            r#"{"progress": {"fraction": null}}"#,
            r#"{"progress": {"fraction": 0.5, "other": 1}}"#,
            r#"{"value": {"key": "", "value": 1}}"#,
            r#"{"value": {"key": "a\n", "value": 1}}"#,
            r#"{"value": {"key": "a"}}"#,
            r#"{"exit": {}}"#,
            r#"{"progress": {"fraction": 0.5}} {"progress": {"fraction": 0.5}}"#,
            "\u{1}",
        ] {
            assert_eq!(Message::parse(refused.as_bytes()), None, "{refused}");
        }
        let deep =
            format!(r#"{{"value": {{"key": "a", "value": {}1{}}}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert_eq!(Message::parse(deep.as_bytes()), None);
    }

    #[test]
    fn values_have_a_bound_and_the_latest_under_a_key_counts() {
        let mut values = Values::default();
        for number in 0..VALUES_MAX {
            assert!(values.insert(format!("key {number}"), json!(number)));
        }
        assert!(!values.insert("one more".into(), json!(1)));
        assert!(values.insert("key 3".into(), json!("changed")));
        assert_eq!(values.iter().find(|(key, _)| *key == "key 3").unwrap().1, &json!("changed"));
        assert!(!values.insert("key 3".into(), json!("x".repeat(VALUES_BYTES_MAX))));
        let large: Values =
            serde_json::from_value(json!({"a": "x".repeat(VALUES_BYTES_MAX), "b": 1})).unwrap();
        assert_eq!(large.sound().iter().count(), 1, "what a node reports is held to the same bounds");
    }
}
