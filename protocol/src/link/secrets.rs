//! How a node gets the secrets of an execution: with the assignment if it runs that at once, and else it asks for them when it
//! is about to run the guest. What it gets is sealed to its own key, for this execution.

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
    /// The value, sealed by a [`Sealer`](skrei_vault::Sealer) of the link. Nobody else can make anything of it. With a content: the
    /// key of that, sealed to the node by itself.
    pub sealed: String,
    /// What whoever submitted the job sealed, and the orchestrator cannot open: see [`by_client`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What a [`SealedSecret`] is for.
pub fn delivery(node: &NodeId, execution: &ExecutionId, name: &Name) -> Context {
    Context::new("skrei secret of an execution")
        .with(node.as_str())
        .with(execution.as_str())
        .with(name.as_str())
}

/// What a secret is for that was sealed by whoever submitted a job: this job, as it is written
/// ([`Manifest::canonical`](skrei_job::Manifest::canonical)), and no other. So an orchestrator that is not what it seems cannot
/// have it opened for a guest of its own. The key for one node has the node's name besides.
pub fn by_client(job: &[u8], name: &Name) -> Context {
    Context::new("skrei secret sealed by a client").with(job).with(name.as_str())
}
