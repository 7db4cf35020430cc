//! Everything a person sees: data to standard output, all else to standard error.

pub(crate) mod fit;
pub(crate) mod format;
pub(crate) mod harmless;
pub(crate) mod log;
#[cfg(test)]
pub(crate) mod page;
pub(crate) mod prompt;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use skrei_job::{Document, document::Node};

use crate::{error::Error, secret};

/// Columns assumed when nobody says how wide the terminal is.
const WIDTH_DEFAULT: usize = 80;

/// Rows assumed when nobody says how high it is.
const HEIGHT_DEFAULT: usize = 24;

/// Below this, text is cut less badly by the terminal than by us.
const WIDTH_MIN: usize = 40;

/// What stands on the terminal only for the moment: the columns of each line that [`frame`] drew last.
static FRAME: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Writes one line or block of data to standard output: unchanged for a program, harmless for a terminal.
///
/// # Errors
/// If it cannot be written, such as when its reader is gone.
pub(crate) fn data(text: &str) -> io::Result<()> {
    make_way();
    let mut stdout = io::stdout().lock();
    let text = if stdout.is_terminal() { harmless::coloured(text) } else { Cow::Borrowed(text) };
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
    let _ = writeln!(stderr, "{}", harmless::coloured(text));
}

/// Puts lines in the place of those drawn before, on a terminal behind standard error: first those that stay, then those
/// that stand there for the moment, each of which fits into the width. The cursor waits below them.
pub(crate) fn frame(staying: &[String], passing: &[String]) {
    let mut drawn = drawn();
    let mut text = taken_away(&drawn, size().0);
    for line in staying.iter().chain(passing) {
        text.push_str(&harmless::coloured(line));
        text.push_str("\r\n");
    }
    *drawn = passing.iter().map(|line| fit::columns(&harmless::lines(line))).collect();
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    let _ = stderr.flush();
}

/// Takes away what stands there for the moment, so that something else can be written.
pub(crate) fn make_way() {
    let is_drawn = !drawn().is_empty();
    if is_drawn {
        frame(&[], &[]);
    }
}

fn drawn() -> MutexGuard<'static, Vec<usize>> {
    FRAME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Goes to where the first of these lines begins and wipes everything from there. A terminal that has become narrower
/// since has broken lines into several.
fn taken_away(drawn: &[usize], width: usize) -> String {
    let rows: usize = drawn.iter().map(|columns| columns.div_ceil(width).max(1)).sum();
    match rows {
        0 => String::new(),
        rows => format!("\r\x1b[{rows}A\x1b[J"),
    }
}

/// Shows a warning.
pub(crate) fn warn(text: &str) {
    note(&format!("{} {text}", style::stderr().yellow("warning:")));
}

/// Shows the warnings of an answer that were not shown before.
pub(crate) fn warn_others(shown: &[String], told: Option<Vec<String>>) {
    told.iter().flatten().filter(|warning| !shown.contains(warning)).for_each(|warning| self::warn(warning));
}

/// Whether a person watches what goes to standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Columns of the terminal behind standard error, or behind standard output; as many as tables need at least.
pub(crate) fn width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    asked.unwrap_or_else(|| size().0).max(WIDTH_MIN)
}

/// Columns and rows of the terminal behind standard error, or behind standard output.
pub(crate) fn size() -> (usize, usize) {
    let found = rustix::termios::tcgetwinsize(io::stderr());
    let found = found.or_else(|_| rustix::termios::tcgetwinsize(io::stdout())).ok();
    let found = found.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    found.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((WIDTH_DEFAULT, HEIGHT_DEFAULT))
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
