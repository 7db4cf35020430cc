//! Events as rows of a table that grows.

use skrei_job::ExecutionId;
use skrei_protocol::api::history::HistoryEntry;

use super::{Look, words};
use crate::terminal::{fit, time};

const GAP: &str = "  ";

/// From so many columns on, events have all their columns.
const WIDE: usize = 76;

/// Below so many, the time is the only other one, without fractions of seconds.
const NARROW: usize = 56;

/// An event's own column is never wider.
const EVENT_MAX: usize = 120;

/// How rows are written.
pub(super) struct Rows<'a> {
    pub(super) columns: usize,
    pub(super) look: &'a Look,
    pub(super) is_fleet: bool,
}

impl Rows<'_> {
    /// The columns' names.
    pub(super) fn header(&self) -> Vec<String> {
        let names = self.before("TIME", "EXEC. ID", "TOPIC");
        vec![String::new(), self.look.style.bold(&format!("{names}EVENT"))]
    }

    /// One event, over as many lines as it takes.
    pub(super) fn event(&self, entry: &HistoryEntry) -> Vec<String> {
        let (style, zone) = (self.look.style, &self.look.zone);
        let execution = ExecutionId::new(entry.execution_id.as_str());
        let time = time::of_day_in(&entry.time, zone);
        let before = self.before(&time, execution.short(), &entry.event.topic);
        let indent = fit::columns(&before);
        let width = self.columns.saturating_sub(indent + 1).min(EVENT_MAX);
        let paint = |text: &str| if entry.event.is_error() { style.red(text) } else { text.to_owned() };
        let message = words::message(entry);
        let lines = fit::wrap(&message, width).into_iter().enumerate();
        lines
            .map(|(number, line)| match number {
                0 => format!("{}{}", style.dim(&before), paint(&line)),
                _ => format!("{}{}", " ".repeat(indent), paint(&line)),
            })
            .collect()
    }

    /// What stands before an event, as much of it as there is room for.
    fn before(&self, time: &str, execution: &str, topic: &str) -> String {
        let (execution, topic) = (fit::exactly(execution, 10), fit::exactly(topic, 12));
        match self.columns {
            ..NARROW => format!("{}{GAP}", fit::exactly(time.split('.').next().unwrap_or_default(), 8)),
            // What a fleet says of itself are failures: which execution it was is in the table at the end.
            NARROW..WIDE => format!("{}{GAP}{topic}{GAP}", fit::exactly(time, 12)),
            _ if self.is_fleet => format!("{}{GAP}{topic}{GAP}", fit::exactly(time, 12)),
            _ => format!("{}{GAP}{execution}{GAP}{topic}{GAP}", fit::exactly(time, 12)),
        }
    }
}
