//! Jobs as the scheduler keeps them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skrei_job::{JobId, Spec, Timestamp, life::JobState};

use crate::Progress;

/// A job at its latest version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Stays the same over all versions.
    pub id: JobId,
    /// 1 at first, one more for each new spec.
    pub version: u64,
    /// 1 at first, one more for each change of state and each new version.
    pub revision: u64,
    /// What is meant.
    pub spec: Arc<Spec>,
    /// Where it stands.
    pub state: JobState,
    /// Why it stands there, for people; may be empty.
    pub message: String,
    /// When the first version was submitted.
    pub created: Timestamp,
    /// When this version was submitted; timeouts count from here.
    pub submitted: Timestamp,
    /// When state or version last changed.
    pub modified: Timestamp,
    /// How far this version has come, as far as its executions do not tell.
    #[serde(default)]
    pub progress: Progress,
    /// The number the next history entry gets. A store computes it as the last number plus 1.
    pub next_history: u64,
}
