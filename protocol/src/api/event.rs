//! The event stream: history entries pushed as they become durable (`GET /orchestrator/events`, server-sent events).

use serde::{Deserialize, Serialize};

use super::history::HistoryEntry;

/// One entry of the stream. Its server-sent-event id is `position`, with which a reader resumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StreamEvent {
    /// Position in the log of the whole orchestrator; only grows.
    pub position: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}
