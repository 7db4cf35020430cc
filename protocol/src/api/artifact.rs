//! Artifacts: content held by the orchestrator under its digest.

use serde::{Deserialize, Serialize};
use skrei_job::Digest;

/// Answer of `PUT /orchestrator/artifacts/{digest}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Artifact {
    /// What it contains.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}
