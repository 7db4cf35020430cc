//! What ends a command early: the cause, the way out, and the exit code.

use std::io;

use skrei_protocol::{api::error::Code, client};

use crate::{
    exit,
    terminal::{self, style},
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
            terminal::note(&self.text(style::stderr()));
        }
    }

    /// Cause, empty line, hint, each line of the cause with the same beginning.
    fn text(&self, style: style::Style) -> String {
        let mut text = format!("{} {}", style.red("error:"), self.message);
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n\n{} {}", style.cyan("hint:"), hint.replace('\n', "\n      ")));
        }
        text
    }
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
        assert_eq!(error.text(style::Style::PLAIN), "error: `x` is wrong\n\nhint: write `y`\n      or `z`");
    }
}
