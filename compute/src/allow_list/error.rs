//! Why an entry cannot be understood.

/// An entry of the allow-list that cannot be understood. A list with one is not used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("allow-list entry `{entry}` {message}")]
pub struct Error {
    entry: String,
    message: String,
    hint: String,
}

impl Error {
    pub(super) fn new(entry: &str, message: String, hint: &str) -> Self {
        Self { entry: entry.to_owned(), message, hint: hint.to_owned() }
    }

    /// The entry as written.
    pub fn entry(&self) -> &str {
        &self.entry
    }

    /// The way out.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}
