//! What ends a command early: the cause, the way out, and the exit code.

use std::io;

use skrei_protocol::{api::error::Code, client};

use crate::{
    exit,
    terminal::{self, fit, style},
};

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Error {
    code: u8,
    /// The cause; several when a document has several problems. Empty when everything was said already.
    message: String,
    hint: Option<String>,
}

impl Error {
    /// An error with this exit code.
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The command line or the configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(exit::USAGE, message)
    }

    /// There is no such thing.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(exit::NOT_FOUND, message)
    }

    /// What was asked for is wrong or not allowed.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, message)
    }

    /// Something this process needs for itself cannot be had.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(exit::UNAVAILABLE, message)
    }

    /// A mistake of ours.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(exit::INTERNAL, message)
    }

    /// The same with the way out.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The code the process ends with.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Whether there is nothing to say: whoever would read it has gone.
    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    /// The same with another exit code.
    #[must_use]
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Prints cause, empty line, hint.
    pub(crate) fn show(&self) {
        if !self.message.is_empty() {
            let width = terminal::is_watched().then(|| terminal::size().0);
            terminal::note(&self.text(style::stderr(), width));
        }
    }

    /// Cause, empty line, hint; fitted to a terminal of so many columns.
    fn text(&self, style: style::Style, width: Option<usize>) -> String {
        // What comes below the first line are pieces of files, with marks under them: they stay as they are.
        let (first, below) = self.message.split_at(self.message.find('\n').unwrap_or(self.message.len()));
        let first = width.map_or_else(|| first.to_owned(), |width| fit::fill(first, width, ERROR.len() + 1));
        let mut text = format!("{} {first}{below}", style.red(ERROR));
        if let Some(hint) = &self.hint {
            text.push_str("\n\n");
            text.push_str(&hint_text(style, hint, width));
        }
        text
    }
}

/// What an error begins with.
const ERROR: &str = "error:";

/// What the way out begins with.
const HINT: &str = "hint:";

/// A way out, each line of it with the same beginning; fitted to a terminal of so many columns.
pub(crate) fn hint_text(style: style::Style, hint: &str, width: Option<usize>) -> String {
    let indent = " ".repeat(HINT.len() + 1);
    // Lines that were broken have their indent.
    let lines = hint.split('\n').map(|line| match width {
        Some(width) => fit::fill(line, width, indent.len()),
        None => line.to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    format!("{} {}", style.cyan(HINT), lines.join(&format!("\n{indent}")))
}

/// An error's message and those of its causes, each once.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let message = next.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = next.source();
    }
    text
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        let code = match &error {
            client::Error::BadEndpoint(_) | client::Error::BadCredential | client::Error::Trust(_) => {
                exit::USAGE
            }
            client::Error::Untrusted { .. } => exit::UNREACHABLE,
            client::Error::Unreachable { .. }
            | client::Error::Unexpected { .. }
            | client::Error::Redirected { .. } => exit::UNREACHABLE,
            client::Error::Api(body) => match body.code {
                Code::NotFound => exit::NOT_FOUND,
                Code::ServiceUnavailable => exit::UNREACHABLE,
                Code::InternalError => exit::INTERNAL,
                _ => exit::REFUSED,
            },
            client::Error::Log(_) | client::Error::NoDownload { .. } => exit::NOT_FOUND,
        };
        Self { code, message: error.to_string(), hint: error.hint() }
    }
}

/// Standard output cannot be written. That its reader went away (`skrei job list | head`) is no news.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::new(exit::SUCCESS, ""),
            _ => Self::unavailable(format!("write to standard output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_comes_first_and_the_hint_after_an_empty_line() {
        let error = Error::usage("`x` is wrong").hint("write `y`\nor `z`");
        assert_eq!(
            error.text(style::Style::PLAIN, None),
            "error: `x` is wrong\n\nhint: write `y`\n      or `z`"
        );
        assert_eq!(
            error.text(style::Style::PLAIN, Some(16)),
            "error: `x` is\n       wrong\n\nhint: write `y`\n      or `z`"
        );
    }
}
