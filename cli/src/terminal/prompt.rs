//! Asking for what nobody should see.

use std::io::{self, BufRead as _, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use skrei_access::Secret;

use crate::exit;

/// Reads one line: typed without being shown, or the first of standard input.
///
/// # Errors
/// It cannot be read.
pub(crate) fn secret(question: &str) -> io::Result<Secret> {
    let stdin = io::stdin();
    let hidden = stdin.is_terminal().then(|| Hidden::new(question)).transpose()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    if hidden.is_some() {
        super::note("");
    }
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// While it lives, the terminal does not show what is typed.
struct Hidden(Termios);

impl Hidden {
    fn new(question: &str) -> io::Result<Self> {
        super::note(question);
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        restore_on_interrupt(before.clone());
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

/// Ctrl+C ends the process, and leaves a terminal that shows what is typed.
fn restore_on_interrupt(before: Termios) {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &before);
            std::process::exit(exit::INTERRUPTED.into());
        }
    });
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
