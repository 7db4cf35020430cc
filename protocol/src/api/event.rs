//! The event stream: history entries pushed as they become durable (`GET /orchestrator/events`, server-sent events).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::history::HistoryEntry;

/// Tells a reader that entries after the one it has seen last are gone: their jobs were removed by housekeeping. Sent
/// once, before everything else, as the event `gap`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Gap {
    /// The last position the reader has seen.
    pub after: u64,
    /// Entries up to this position may be missing.
    pub until: u64,
}
/// The type of events that tell how far a guest says it is ([`ProgressEvent`](super::told::ProgressEvent)); history has
/// none.
pub const PROGRESS: &str = "progress";

/// One entry of the stream. Its server-sent-event id is `position`, with which a reader resumes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StreamEvent {
    /// Position in the log of the whole orchestrator; only grows.
    pub position: u64,
    /// What happened.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}
