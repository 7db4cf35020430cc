//! Colours, where they are wanted. Nothing is said by colour alone.

use std::io::{self, IsTerminal};

/// Colours or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

/// The style for standard error.
pub(crate) fn stderr() -> Style {
    Style { coloured: wanted(io::stderr().is_terminal()) }
}

/// The style for standard output.
pub(crate) fn stdout() -> Style {
    Style { coloured: wanted(io::stdout().is_terminal()) }
}

/// `NO_COLOR` (any value but none) and a terminal that cannot show them mean no colours.
fn wanted(is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Style {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// Whether there are colours.
    pub(crate) fn is_coloured(self) -> bool {
        self.coloured
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For headings and names.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// For what matters less.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For failures.
    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// For success.
    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// For warnings.
    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// For one of several things of a kind: each of the first six has a colour of its own.
    pub(crate) fn nth(self, number: usize, text: &str) -> String {
        const CODES: [&str; 6] = ["36", "33", "35", "32", "34", "31"];
        self.paint(CODES[number % CODES.len()], text)
    }

    /// For hints and commands to try.
    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }
}
