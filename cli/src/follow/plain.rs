//! Events as plain lines with their times: for pipes, and for the logs of other programs.

use std::collections::BTreeMap;

use skrei_job::ExecutionId;
use skrei_protocol::api::{history::HistoryEntry, told::ProgressEvent};

use super::words;
use crate::terminal::{self, harmless, time};

/// A guest's word on how far it is gets a line when it has come so many percent further.
const STEP_PERCENT: u8 = 10;

/// Writes a line for each event, and one now and then for how far guests say they are.
#[derive(Default)]
pub(super) struct Lines {
    /// The last step of each execution that tells.
    steps: BTreeMap<String, u8>,
}

impl Lines {
    /// Shows one event.
    pub(super) fn show(&mut self, entry: &HistoryEntry) {
        if words::is_over(entry) {
            self.steps.remove(&entry.execution_id);
        }
        terminal::note(&line(entry));
    }

    /// Shows a guest's word, if it has come far enough since the one before.
    pub(super) fn progress(&mut self, event: &ProgressEvent) {
        let ProgressEvent { execution_id, node_id, progress } = event;
        // A cast of a float takes what is out of bounds to the nearest bound.
        let step = (progress.fraction * 100.0) as u8 / STEP_PERCENT;
        if self.steps.insert(execution_id.clone(), step) != Some(step) {
            let execution = ExecutionId::new(execution_id.as_str());
            let said = progress.in_words();
            // It has no time but the one when it is heard.
            let (now, execution) = (time::instant(), execution.short());
            terminal::note(&format!("{now} {execution} Progress: {node_id}: {}", harmless::line(&said)));
        }
    }
}

fn line(entry: &HistoryEntry) -> String {
    let execution = ExecutionId::new(entry.execution_id.as_str());
    let subject =
        if entry.execution_id.is_empty() { String::new() } else { format!("{} ", execution.short()) };
    format!("{} {subject}{}: {}", entry.time, entry.event.topic, words::message(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_its_time() {
        let line = |message| line(&words::tests::entry("node-1", "Running", message));
        assert_eq!(
            line("one\ntwo\x1b[2J"),
            "2026-02-02T02:40:00.123Z e-78faf114 Execution: node-1: one two^[[2J"
        );
        assert!(line("on node-1").ends_with("Execution: on node-1"));
    }
}
