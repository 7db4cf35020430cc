//! What would become of a job if it were submitted now. Ours: Bacalhau has nothing of the kind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skrei_job::Manifest;
use utoipa::ToSchema;

/// Body of `PUT /orchestrator/jobs/plan`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlanJobRequest<'a> {
    /// The job as it would be submitted.
    pub job: &'a Manifest,
    /// Whether its secrets would be sealed by whoever submits it: such a job gets no defaults of the orchestrator's.
    pub sealed: bool,
    /// Secrets that would be given with it, each with a stand-in for its value ([`STAND_IN`]).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<&'a str, &'static str>,
}

/// What stands for the value of a secret, which stays where it is: one byte in base64. Nothing of a plan is kept.
pub const STAND_IN: &str = "LQ==";

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PlanJobResponse {
    /// Every node there is, in the order of their ids.
    pub nodes: Vec<PlannedNode>,
    /// What was changed or ignored; null if nothing.
    pub warnings: Option<Vec<String>>,
}

/// A node, and whether the scheduler would give it the job now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PlannedNode {
    /// Its id.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Why it would not run the job, each rule for itself; empty if it would. Its own rules are asked, too, if it is
    /// connected and nothing else keeps the job off it.
    pub reasons: Vec<String>,
    /// The host paths that the job's guest would have there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<PlannedMount>,
}

/// A host path that a guest would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PlannedMount {
    /// Where it really is on the node, or would be made.
    pub path: String,
    /// Where the guest would find it.
    pub target: String,
    /// `ro` or `rw`.
    pub mode: String,
}
