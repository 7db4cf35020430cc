//! How a node gets the secrets of an execution: it asks for them when it is about to run the guest, and what it gets is
//! sealed to its own key, for this execution.

use serde::{Deserialize, Serialize};
use skrei_job::{ExecutionId, JobId, NodeId, outcome::Refusal, secret::Name};
use skrei_vault::Context;

/// Asks for the secrets of an execution that the node was given and that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantSecrets {
    /// Which execution.
    pub execution: ExecutionId,
    /// The job it is of.
    pub job: JobId,
}

/// Answer to [`WantSecrets`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Which execution.
    pub execution: ExecutionId,
    /// All its secrets, or the rule that keeps the first of them away.
    pub result: Result<Vec<SealedSecret>, Refusal>,
}

/// A secret that one node can open, for one execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Its name.
    pub name: Name,
    /// The value, sealed. Nobody else can make anything of it.
    pub sealed: String,
}

/// What a [`SealedSecret`] is for.
pub fn delivery(node: &NodeId, execution: &ExecutionId, name: &Name) -> Context {
    Context::new("skrei secret of an execution")
        .with(node.as_str())
        .with(execution.as_str())
        .with(name.as_str())
}
