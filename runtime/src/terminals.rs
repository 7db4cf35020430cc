//! Which of a guest's standard streams are a terminal.

use std::io::IsTerminal as _;

/// Which of a guest's standard streams it takes for a terminal. Default none: what runs unwatched prints no colours and
/// asks nobody. It changes what a program is told of its streams, and nothing about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Interpreters with a terminal here begin a conversation.
    pub stdin: bool,
    /// Programs with a terminal here write line by line, and often in colours.
    pub stdout: bool,
    /// As `stdout`, for standard error.
    pub stderr: bool,
}

impl Terminals {
    /// Those that are terminals of this process: right for a guest that is given its streams.
    pub fn of_process() -> Terminals {
        Terminals {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
        }
    }
}
