//! What guests tell while they run.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a guest says it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
#[schema(as = GuestProgress)]
pub struct Progress {
    /// The share done of all there is to do, from 0 to 1.
    pub fraction: f64,
    /// What it is doing; may be empty.
    #[serde(default)]
    pub message: String,
}

impl Progress {
    /// `50% copying`.
    pub fn in_words(&self) -> String {
        format!("{:.0}% {}", self.fraction * 100.0, self.message).trim_end().to_owned()
    }
}

/// An event of type `progress` in the stream of a job: not history, so it has no position and is not sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ProgressEvent {
    /// The execution.
    #[serde(rename = "ExecutionID")]
    pub execution_id: String,
    /// Where it runs.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Its latest word.
    pub progress: Progress,
}
