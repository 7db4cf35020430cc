//! What a template can name: variables given by the user and environment variables imported on request.

use std::{collections::BTreeMap, fmt};

/// Names and values for a template. Values are never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    given: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

/// Text given as a variable that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAVariable {
    /// There is no `=`; what was given may be a value, and is not shown.
    #[error("a template variable is given as `NAME=VALUE`, and there is no `=` in what was given")]
    NoEquals,
    /// There is nothing before the `=`.
    #[error("a template variable needs a name before the `=`")]
    NoName,
    /// The value is not text.
    #[error("the value of the template variable `{name}` ({bytes} bytes) is not UTF-8 text")]
    NotText {
        /// The variable.
        name: String,
        /// Length of the value.
        bytes: usize,
    },
}

impl Variables {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits `NAME=VALUE` at the first `=`: everything after it is the value, commas, quotes and line feeds
    /// included.
    ///
    /// # Errors
    /// No `=`, or nothing before it.
    pub fn split(text: &str) -> Result<(&str, &str), NotAVariable> {
        let (name, value) = text.split_once('=').ok_or(NotAVariable::NoEquals)?;
        if name.trim().is_empty() { Err(NotAVariable::NoName) } else { Ok((name.trim(), value)) }
    }

    /// Adds a variable given as `NAME=VALUE`, taken literally. A later one of the same name wins.
    ///
    /// # Errors
    /// No `=`, or nothing before it.
    pub fn assign(&mut self, text: &str) -> Result<(), NotAVariable> {
        let (name, value) = Self::split(text)?;
        self.given.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Adds a variable whose value was read from somewhere.
    ///
    /// # Errors
    /// The value is not UTF-8, or the name is empty.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) -> Result<(), NotAVariable> {
        if name.trim().is_empty() {
            return Err(NotAVariable::NoName);
        }
        let value = String::from_utf8(value.into()).map_err(|error| NotAVariable::NotText {
            name: name.to_owned(),
            bytes: error.as_bytes().len(),
        })?;
        self.given.insert(name.trim().to_owned(), value);
        Ok(())
    }

    /// Adds an environment variable that was imported. Templates reach it with `{{env "NAME"}}`, and as
    /// `{{NAME}}` unless a variable of that name was given.
    pub fn import(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.environment.insert(name.into(), value.into());
    }

    /// Every name a template can use, in name order.
    pub fn names(&self) -> Vec<&str> {
        self.all().into_keys().collect()
    }

    pub(super) fn all(&self) -> BTreeMap<&str, &str> {
        let pairs = self.environment.iter().chain(&self.given);
        pairs.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    pub(super) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The variable whose value has `,NAME=` in it: a list of variables as Bacalhau splits it.
    pub(super) fn swallowed(&self, name: &str) -> Option<&str> {
        let holds = |value: &str| {
            value
                .split(',')
                .skip(1)
                .any(|part| part.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
        };
        self.given.iter().find(|(_, value)| holds(value)).map(|(holder, _)| holder.as_str())
    }
}

/// Names and lengths only.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.all().into_iter().map(|(name, value)| (name, format!("{} bytes", value.len()))))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_after_the_first_equals_sign_is_the_value() {
        for (text, expected) in [
            ("a=1", Ok(("a", "1"))),
            ("a=1,b=2", Ok(("a", "1,b=2"))),
            ("a=x\ny==", Ok(("a", "x\ny=="))),
            ("a=", Ok(("a", ""))),
            ("a=\"x=y\"", Ok(("a", "\"x=y\""))),
            ("a", Err(NotAVariable::NoEquals)),
            ("=1", Err(NotAVariable::NoName)),
        ] {
            assert_eq!(Variables::split(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_not_shown_and_must_be_text() {
        let mut variables = Variables::new();
        variables.assign("key=secret").unwrap();
        assert_eq!(format!("{variables:?}"), r#"{"key": "6 bytes"}"#);
        let refused = variables.set("der", [0xff, 0xfe]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the value of the template variable `der` (2 bytes) is not UTF-8 text"
        );
    }

    #[test]
    fn a_given_variable_wins_over_an_imported_one() {
        let mut variables = Variables::new();
        variables.import("HOME", "/root");
        variables.assign("HOME=/here").unwrap();
        assert_eq!(variables.all()["HOME"], "/here");
        assert_eq!(variables.environment()["HOME"], "/root");
    }
}
