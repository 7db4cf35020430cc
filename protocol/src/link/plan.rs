//! What a node would make of a job that it has not been given: it is asked before anything is submitted.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skrei_job::{Spec, outcome::Refusal, spec::Mode};

/// Asks a node by its own rules about a job. Nothing is made or fetched for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judge {
    /// Repeated in the answer.
    pub request: u64,
    /// The job.
    pub spec: Arc<Spec>,
}

/// Answer to [`Judge`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judgement {
    /// From [`Judge`].
    pub request: u64,
    /// The host paths that the job's guest would have, or the rule that keeps the job off the node.
    pub result: Result<Vec<Granted>, Refusal>,
}

/// A host path that a guest would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// Where it really is on the node, or would be made.
    pub path: String,
    /// Where the guest would find it.
    pub target: String,
    /// What it could do there.
    pub mode: Mode,
}
