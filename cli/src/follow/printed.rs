//! What of one log is on our own standard output and standard error.
//!
//! A log comes in pieces that end where they end. Alone it is written as it comes. Where several are written at once each line
//! has a label, and begins when its end is there: what others write does not come in between.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use skrei_protocol::api::log::{LogLine, STDERR};
use tokio::time::Instant;

use crate::terminal::{harmless, style, time};

/// Bytes of a line that are held back at most; a longer one comes in lines of about this length.
const HELD_BYTES_MAX: usize = 64 << 10;

/// How long somebody who follows waits for the end of a line. A prompt has none.
const HELD_MAX: Duration = Duration::from_secs(1);

/// The node's name before each of its lines, in a colour of its own where there are colours.
#[derive(Clone, Debug)]
pub(crate) struct Label(String);

impl Label {
    /// The label of the `number`th node, filled up to `width`.
    pub(super) fn new(node: &str, number: usize, width: usize) -> Self {
        let node = harmless::line(node);
        Self(style::stdout().nth(number, &format!("{node:<width$} |")))
    }

    /// The label of one of several nodes; none if there is just one.
    pub(crate) fn among(nodes: &[&str], number: usize) -> Option<Self> {
        let width = nodes.iter().map(|node| node.len()).max()?;
        (nodes.len() > 1).then(|| Self::new(nodes[number], number, width))
    }
}

/// How far both streams of a log are written.
#[derive(Debug)]
pub(super) struct Printed<'a> {
    label: Option<&'a Label>,
    stdout: Begun,
    stderr: Begun,
}

/// What there is of a line whose end has not come.
#[derive(Debug, Default)]
enum Begun {
    #[default]
    Nothing,
    /// Its beginning is written.
    Written,
    /// It is written when its end is there, or at this time.
    Held { line: String, time: Option<String>, until: Instant },
}

impl<'a> Printed<'a> {
    /// Nothing yet. With a label every line is written whole, behind it.
    pub(super) fn new(label: Option<&'a Label>) -> Self {
        Self { label, stdout: Begun::Nothing, stderr: Begun::Nothing }
    }

    /// Writes a piece, or what of it is whole lines by now.
    pub(super) fn add(&mut self, piece: &LogLine) -> io::Result<()> {
        let is_stderr = piece.kind == STDERR;
        let is_shown = if is_stderr { io::stderr().is_terminal() } else { io::stdout().is_terminal() };
        // Programs get what was written; a terminal would obey it.
        let text = if is_shown { harmless::lines(&piece.line) } else { Cow::Borrowed(&*piece.line) };
        let time = piece.time.as_deref();
        let begun = if is_stderr { &mut self.stderr } else { &mut self.stdout };
        let text = match (self.label, time) {
            (None, None) => text,
            (None, Some(time)) => Cow::Owned(begun.behind_time(time, &text)),
            (Some(label), time) => Cow::Owned(begun.behind(label, time, &text)),
        };
        write(is_stderr, &text)
    }

    /// When something has to be written though the end of its line is not there.
    pub(super) fn due(&self) -> Option<Instant> {
        [&self.stdout, &self.stderr].into_iter().filter_map(Begun::due).min()
    }

    /// Writes what is due at this time.
    pub(super) fn write_due(&mut self, now: Instant) -> io::Result<()> {
        self.write_held(|until| until <= now)
    }

    /// Writes what is left, since nothing more comes.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.write_held(|_| true)
    }

    fn write_held(&mut self, is_due: impl Fn(Instant) -> bool) -> io::Result<()> {
        for (is_stderr, begun) in [(false, &mut self.stdout), (true, &mut self.stderr)] {
            if let Some(label) = self.label
                && begun.due().is_some_and(&is_due)
            {
                write(is_stderr, &begun.whole(label))?;
            }
        }
        Ok(())
    }
}

impl Begun {
    fn due(&self) -> Option<Instant> {
        match self {
            Self::Held { until, .. } => Some(*until),
            Self::Nothing | Self::Written => None,
        }
    }

    /// Each line behind the time when it was begun, and nothing else that was not written.
    fn behind_time(&mut self, time: &str, text: &str) -> String {
        let time = time::precise(time);
        let mut shown = String::new();
        for part in text.split_inclusive('\n') {
            if matches!(self, Self::Nothing) {
                shown.push_str(&time);
                shown.push(' ');
            }
            shown.push_str(part);
            *self = if part.ends_with('\n') { Self::Nothing } else { Self::Written };
        }
        shown
    }

    /// Each line that is whole, or too long to be held, behind the label, and behind the time when it was begun if that is
    /// said; what is left is held.
    fn behind(&mut self, label: &Label, time: Option<&str>, text: &str) -> String {
        let mut shown = String::new();
        for part in text.split_inclusive('\n') {
            let is_whole = match self {
                Self::Held { line, .. } => {
                    line.push_str(part);
                    part.ends_with('\n') || line.len() >= HELD_BYTES_MAX
                }
                _ => {
                    let until = Instant::now() + HELD_MAX;
                    *self = Self::Held { line: part.to_owned(), time: time.map(str::to_owned), until };
                    part.ends_with('\n') || part.len() >= HELD_BYTES_MAX
                }
            };
            if is_whole {
                shown.push_str(&self.whole(label));
            }
        }
        shown
    }

    /// What was held, as a line of its own.
    fn whole(&mut self, label: &Label) -> String {
        let Self::Held { line, time, .. } = std::mem::take(self) else { return String::new() };
        let time = time.map(|time| format!("{} ", time::precise(&time))).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(&line);
        format!("{} {time}{}\n", label.0, line.strip_suffix('\r').unwrap_or(line))
    }
}

fn write(is_stderr: bool, text: &str) -> io::Result<()> {
    if is_stderr {
        return io::stderr().lock().write_all(text.as_bytes());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-01-02T03:04:05.5Z";
    const LATER: &str = "2026-01-02T03:04:09Z";

    fn label() -> Label {
        Label("node-1 |".to_owned())
    }

    #[test]
    fn the_lines_of_one_log_are_as_they_were_written_with_their_time_before_them() {
        let mut begun = Begun::default();
        let shown: String =
            ["one\ntw", "o", "\nthree"].iter().map(|piece| begun.behind_time(TIME, piece)).collect();
        let expected = ["one\n", "two\n", "three"].map(|line| format!("2026-01-02T03:04:05.500Z {line}"));
        assert_eq!(shown, expected.concat());
    }

    #[tokio::test]
    async fn a_line_among_others_is_written_when_its_end_is_there() {
        let mut begun = Begun::default();
        let shown =
            ["one\ntw", "o", "\nthree\r\n", "\nfour"].map(|piece| begun.behind(&label(), None, piece));
        assert_eq!(shown, ["node-1 | one\n", "", "node-1 | two\nnode-1 | three\n", "node-1 | \n"]);
        assert_eq!(begun.whole(&label()), "node-1 | four\n", "nothing more came");
        assert_eq!(begun.whole(&label()), "");
    }

    #[tokio::test]
    async fn a_line_among_others_says_when_it_was_begun() {
        let mut begun = Begun::default();
        assert_eq!(begun.behind(&label(), Some(TIME), "on"), "");
        let shown = begun.behind(&label(), Some(LATER), "e\ntwo\n");
        assert_eq!(shown, "node-1 | 2026-01-02T03:04:05.500Z one\nnode-1 | 2026-01-02T03:04:09.000Z two\n");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_held_up_to_its_bound() {
        let mut begun = Begun::default();
        let piece = "x".repeat(HELD_BYTES_MAX / 2);
        assert_eq!(begun.behind(&label(), None, &piece), "");
        assert_eq!(begun.behind(&label(), None, &piece), format!("node-1 | {piece}{piece}\n"));
        assert!(begun.due().is_none(), "the rest is a line of its own");
    }

    #[tokio::test]
    async fn a_prompt_is_held_for_a_moment_however_it_grows() {
        let label = label();
        let mut printed = Printed::new(Some(&label));
        assert_eq!(printed.due(), None);
        printed.add(&LogLine { kind: STDERR, line: "name".to_owned(), time: None }).unwrap();
        let due = printed.due().unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
        printed.add(&LogLine { kind: STDERR, line: "? ".to_owned(), time: None }).unwrap();
        assert_eq!(printed.due(), Some(due), "what goes on does not put it off");
        printed.write_due(due - Duration::from_millis(1)).unwrap();
        assert_eq!(printed.due(), Some(due));
        printed.write_due(due).unwrap();
        assert_eq!(printed.due(), None);

        let mut alone = Printed::new(None);
        alone.add(&LogLine { kind: STDERR, line: String::new(), time: None }).unwrap();
        assert_eq!(alone.due(), None, "alone nothing is held");
    }
}
