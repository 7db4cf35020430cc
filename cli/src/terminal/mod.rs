//! Everything a person sees: data to standard output, all else to standard error.

pub(crate) mod format;
pub(crate) mod log;
#[cfg(test)]
pub(crate) mod page;
pub(crate) mod prompt;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;

use std::{
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use skrei_job::{Document, document::Node};

use crate::{error::Error, secret};

/// Columns assumed when nobody says how wide the terminal is.
const WIDTH_DEFAULT: usize = 80;

/// Below this, text is cut less badly by the terminal than by us.
const WIDTH_MIN: usize = 40;

/// Whether the line that [`in_place`] wrote last is still there.
static IN_PLACE: AtomicBool = AtomicBool::new(false);

/// Writes one line or block of data to standard output.
///
/// # Errors
/// If it cannot be written, such as when its reader is gone.
pub(crate) fn data(text: &str) -> io::Result<()> {
    make_way();
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        stdout.write_all(b"\n")?;
    }
    stdout.flush()
}

/// Writes one line or block about the work to standard error. Nobody to read it is no reason to stop working.
pub(crate) fn note(text: &str) {
    make_way();
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{text}");
}

/// Writes a line to standard error in the place of the one before, and stays on it; an empty one takes it away.
pub(crate) fn in_place(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[K{text}");
    let _ = stderr.flush();
    IN_PLACE.store(!text.is_empty(), Ordering::Relaxed);
}

/// Takes away what stands there for the moment, so that something else can be written.
pub(crate) fn make_way() {
    if IN_PLACE.load(Ordering::Relaxed) {
        in_place("");
    }
}

/// Shows a warning.
pub(crate) fn warn(text: &str) {
    note(&format!("{} {text}", style::stderr().yellow("warning:")));
}

/// Whether a person watches what goes to standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Columns of the terminal behind standard error, or behind standard output.
pub(crate) fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = || {
        let found = rustix::termios::tcgetwinsize(io::stderr());
        let found = found.or_else(|_| rustix::termios::tcgetwinsize(io::stdout()));
        found.ok().map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0)
    };
    asked.or_else(size).unwrap_or(WIDTH_DEFAULT).max(WIDTH_MIN)
}

/// Anything the API shows, as YAML, without private keys.
///
/// # Errors
/// If it has no such form, which is a mistake of ours.
pub(crate) fn yaml(value: &impl serde::Serialize) -> Result<String, Error> {
    Ok(Document { root: Node::from(&masked(value)?) }.to_yaml())
}

fn masked(value: &impl serde::Serialize) -> Result<serde_json::Value, Error> {
    let value = serde_json::to_value(value);
    let mut value = value.map_err(|error| Error::internal(format!("show what the API gave: {error}")))?;
    secret::mask(&mut value);
    Ok(value)
}
