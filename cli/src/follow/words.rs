//! What an event says, for people.

use skrei_job::life::JobState;
use skrei_protocol::api::history::{HistoryEntry, Level};

use crate::terminal::harmless;

/// The event in one paragraph, with the node it happened on if it does not say so itself.
pub(super) fn message(entry: &HistoryEntry) -> String {
    let said = harmless::line(&entry.event.message);
    match entry.event.detail("NodeID") {
        Some(node) if !said.contains(node) => format!("{}: {said}", harmless::line(node)),
        _ => said.into_owned(),
    }
}

/// The changes of the job's own state follow from what else is shown, and so does that it failed once an execution has.
pub(super) fn is_news(entry: &HistoryEntry, failure_shown: bool) -> bool {
    let sums_up = entry.event.topic == "State Update" || (entry.event.is_error() && failure_shown);
    entry.kind == Level::Execution || !sums_up || is_halt(entry)
}

/// Nothing more happens before somebody says so.
pub(super) fn is_halt(entry: &HistoryEntry) -> bool {
    entry.event.detail("Rollout") == Some("Halted")
}

/// What to do about a roll-out that has halted.
pub(super) fn after_halt(job: &str) -> String {
    format!(
        "  skrei job rollout status {job}   where it stands\n  skrei job rollout resume {job}   go on with what is left (or \
         abort)"
    )
}

/// Whether the job has ended with this.
pub(super) fn is_end(entry: &HistoryEntry) -> bool {
    let state = entry.event.detail("NewState");
    entry.kind == Level::Job
        && JobState::ALL.iter().any(|known| known.is_terminal() && state == Some(known.as_str()))
}

/// Whether an execution says nothing more after this.
pub(super) fn is_over(entry: &HistoryEntry) -> bool {
    let state = entry.event.detail("ExecutionState");
    state.is_some_and(|state| !matches!(state, "Assigned" | "Running"))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use skrei_protocol::api::history::Event;

    use super::*;

    /// An execution's event on a node, which leaves it in this state.
    pub(in crate::follow) fn entry(node: &str, state: &str, message: &str) -> HistoryEntry {
        let mut details = BTreeMap::from([
            ("NodeID".to_owned(), node.to_owned()),
            ("ExecutionState".to_owned(), state.to_owned()),
        ]);
        if !matches!(state, "Assigned" | "Running" | "Completed") {
            details.insert("IsError".to_owned(), "true".to_owned());
        }
        HistoryEntry {
            seq_num: 1,
            kind: Level::Execution,
            job_id: "j-1b2c3d4e-6a45-457e-825c-40fd2fad768f".to_owned(),
            job_version: 1,
            execution_id: "e-78faf114-6a45-457e-825c-40fd2fad768f".to_owned(),
            event: Event {
                message: message.to_owned(),
                topic: "Execution".to_owned(),
                timestamp: String::new(),
                details,
            },
            time: "2026-02-02T02:40:00.123Z".to_owned(),
            job_state: None,
            execution_state: None,
        }
    }

    #[test]
    fn the_end_is_the_job_s_and_not_an_execution_s() {
        let mut ended = entry("node-1", "Completed", "Completed successfully");
        assert!(is_over(&ended) && !is_end(&ended));
        ended.kind = Level::Job;
        ended.event.details = BTreeMap::from([("NewState".to_owned(), "Failed".to_owned())]);
        assert!(is_end(&ended) && !is_over(&ended));
    }
}
