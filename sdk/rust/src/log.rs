//! A log that people and programs read: one line a message on standard error, `LEVEL message key=value ...`.
//!
//! It goes where everything else goes that a program has to say, so nothing is out of order in `skrei job logs`, and
//! any other host shows it as well.

use std::{fmt::Display, io::Write};

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a mistake.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warn,
    /// What went wrong.
    Error,
}

/// What belongs to a message: names and what they stand for.
pub type Fields<'a> = &'a [(&'a str, &'a dyn Display)];

/// Says one message.
pub fn log(level: Level, message: &str, fields: Fields<'_>) {
    line(&text(level, message, fields));
}

/// Says what a person looking for a mistake wants to know.
pub fn debug(message: &str, fields: Fields<'_>) {
    log(Level::Debug, message, fields);
}

/// Says what happens.
pub fn info(message: &str, fields: Fields<'_>) {
    log(Level::Info, message, fields);
}

/// Says what should be looked at.
pub fn warn(message: &str, fields: Fields<'_>) {
    log(Level::Warn, message, fields);
}

/// Says what went wrong.
pub fn error(message: &str, fields: Fields<'_>) {
    log(Level::Error, message, fields);
}

/// Writes a line to standard error in one piece.
pub(crate) fn line(text: &str) {
    // Nobody to read it is no reason to stop working.
    let _ = std::io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

fn text(level: Level, message: &str, fields: Fields<'_>) -> String {
    let level = match level {
        Level::Debug => "DEBUG",
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let mut text = format!("{level} {}", message.replace(['\n', '\r'], " "));
    for (name, value) in fields {
        let value = value.to_string();
        let is_plain = !value.is_empty() && !value.contains([' ', '"', '=', '\n', '\r', '\t']);
        let value = if is_plain { value } else { format!("{value:?}") };
        text.push_str(&format!(" {name}={value}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_and_its_fields_can_be_told_apart() {
        let said = text(Level::Warn, "two\nlines", &[("n", &3), ("path", &"/a b"), ("none", &"")]);
        assert_eq!(said, r#"WARN two lines n=3 path="/a b" none="""#);
    }
}
