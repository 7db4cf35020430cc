//! Events as lines: a table that grows on a terminal, plain lines with timestamps elsewhere.

use skrei_job::ExecutionId;
use skrei_protocol::api::{history::HistoryEntry, told::ProgressEvent};

use super::progress::Line;
use crate::terminal::{
    self,
    style::{self, Style},
    time,
};

/// Widths of the columns before the event: `15:04:05.000`, `e-1b2c3d4e`, the longest topic.
const TIME: usize = 12;
const EXECUTION: usize = 10;
const TOPIC: usize = 12;
const GAP: usize = 2;

/// The event's own column is never narrower, nor wider.
const EVENT_MIN: usize = 20;
const EVENT_MAX: usize = 90;

/// Shows events one after the other, and under them how far the guests say they are.
pub(super) struct Rows {
    /// Nothing where nobody watches.
    table: Option<Table>,
    progress: Line,
}

struct Table {
    style: Style,
    event_width: usize,
    has_header: bool,
}

impl Rows {
    pub(super) fn new(watched: bool) -> Self {
        let before = TIME + EXECUTION + TOPIC + 3 * GAP;
        let table = || Table {
            style: style::stderr(),
            event_width: terminal::width().saturating_sub(before + 1).clamp(EVENT_MIN, EVENT_MAX),
            has_header: false,
        };
        Self { table: watched.then(table), progress: Line::new(watched) }
    }

    /// Shows how far a guest says it is.
    pub(super) fn progress(&mut self, progress: &ProgressEvent) {
        self.progress.show(progress);
    }

    /// Takes down what is there only for the moment.
    pub(super) fn finish(&mut self) {
        self.progress.clear();
    }

    /// Shows one event.
    pub(super) fn show(&mut self, entry: &HistoryEntry) {
        self.progress.clear();
        if is_over(entry) {
            self.progress.forget(&entry.execution_id);
        }
        match &mut self.table {
            None => terminal::note(&line(entry)),
            Some(table) => {
                if !std::mem::replace(&mut table.has_header, true) {
                    terminal::note("");
                    terminal::note(&table.style.bold(&columns("TIME", "EXEC. ID", "TOPIC", "EVENT")));
                }
                terminal::note(&table.row(entry));
            }
        }
        self.progress.draw();
    }
}

/// Whether an execution says nothing more after this.
fn is_over(entry: &HistoryEntry) -> bool {
    matches!(entry.event.detail("NewState"), Some(state) if !matches!(state, "Assigned" | "Running"))
}

impl Table {
    fn row(&self, entry: &HistoryEntry) -> String {
        let execution = ExecutionId::new(entry.execution_id.as_str());
        let mut lines = wrap(&message(entry), self.event_width).into_iter();
        let first = lines.next().unwrap_or_default();
        let paint = |text: &str| if entry.event.is_error() { self.style.red(text) } else { text.to_owned() };
        let before = columns(&time::of_day(&entry.time), execution.short(), &entry.event.topic, "");
        let mut row = format!("{}{}", self.style.dim(&before), paint(&first));
        for line in lines {
            row.push_str(&format!("\n{}{}", columns("", "", "", ""), paint(&line)));
        }
        row
    }
}

fn columns(time: &str, execution: &str, topic: &str, event: &str) -> String {
    format!("{time:<TIME$}  {execution:<EXECUTION$}  {topic:<TOPIC$}  {event}")
}

/// One line for pipes and logs of other programs.
fn line(entry: &HistoryEntry) -> String {
    let execution = ExecutionId::new(entry.execution_id.as_str());
    let subject =
        if entry.execution_id.is_empty() { String::new() } else { format!("{} ", execution.short()) };
    format!("{} {subject}{}: {}", entry.time, entry.event.topic, message(entry))
}

/// The event in one paragraph, with the node it happened on if it does not say so itself.
fn message(entry: &HistoryEntry) -> String {
    let said = &entry.event.message;
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match entry.event.detail("NodeID") {
        Some(node) if !said.contains(node) => format!("{node}: {said}"),
        _ => said,
    }
}

/// Breaks a text at spaces; words that are too long are cut.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut letters: Vec<char> = word.chars().collect();
        while !letters.is_empty() {
            let line = lines.last_mut().map_or(0, |line| line.chars().count());
            let needed = if line == 0 { letters.len() } else { line + 1 + letters.len() };
            if needed > width && line > 0 {
                lines.push(String::new());
                continue;
            }
            let part: String = letters.drain(..letters.len().min(width)).collect();
            if let Some(last) = lines.last_mut() {
                if line > 0 {
                    last.push(' ');
                }
                last.push_str(&part);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use skrei_protocol::api::history::{Event, Level};

    use super::*;

    fn entry(message: &str) -> HistoryEntry {
        HistoryEntry {
            seq_num: 1,
            kind: Level::Execution,
            job_id: "j".to_owned(),
            job_version: 1,
            execution_id: "e-78faf114-6a45-457e-825c-40fd2fad768f".to_owned(),
            event: Event {
                message: message.to_owned(),
                topic: "Execution".to_owned(),
                timestamp: String::new(),
                details: BTreeMap::from([("NodeID".to_owned(), "node-1".to_owned())]),
            },
            time: "2026-02-02T02:40:00.123Z".to_owned(),
            job_state: None,
            execution_state: None,
        }
    }

    #[test]
    fn a_piped_event_is_one_line_with_its_time() {
        assert_eq!(
            line(&entry("one\ntwo")),
            "2026-02-02T02:40:00.123Z e-78faf114 Execution: node-1: one two"
        );
        assert!(line(&entry("on node-1")).ends_with("Execution: on node-1"));
    }

    #[test]
    fn long_events_are_wrapped_under_their_column() {
        let table = Table { style: Style::PLAIN, event_width: 20, has_header: true };
        let row = table.row(&entry("the path `/etc/nginx/ssl/conf.d/x` is on no entry"));
        let events: Vec<String> = row.lines().map(|line| line.chars().skip(40).collect()).collect();
        assert_eq!(events, ["node-1: the path", "`/etc/nginx/ssl/conf", ".d/x` is on no entry"]);
    }
}
