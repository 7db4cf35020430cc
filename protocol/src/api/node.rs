//! Nodes (reference 1.7, 3.12).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skrei_job::labels::Labels;
use utoipa::ToSchema;

use super::resources::Resources;
use crate::version::BuildInfo;

/// What is known of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NodeState {
    /// What the node says of itself.
    pub info: NodeInfo,
    /// `APPROVED`, `PENDING` or `REJECTED`.
    pub membership: String,
    /// The same as `ConnectionState.Status`; the web page reads only this one.
    pub connection: String,
    /// Whether and since when it is connected.
    pub connection_state: ConnectionState,
    /// Whether it gets nothing new.
    #[serde(default)]
    pub cordoned: bool,
    /// Why it can do nothing new for now, as it says; empty if it does well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unwell: String,
    /// When what it still has is given to others, RFC 3339; empty unless it is being drained.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub drain: String,
    /// Labels that count whatever the node says.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub central_labels: Labels,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NodeInfo {
    /// Its id.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// `Compute` or `Requester`.
    pub node_type: String,
    /// Configured and automatic labels.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
    /// Versions of the node link it speaks.
    pub supported_protocols: Vec<String>,
    /// Always there, also for a node that computes nothing.
    pub compute_node_info: ComputeNodeInfo,
    /// What it was built as.
    pub bacalhau_version: BuildInfo,
}

/// What a node can do and has to give.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct ComputeNodeInfo {
    /// `wasm`.
    pub execution_engines: Vec<String>,
    /// Publisher types.
    pub publishers: Vec<String>,
    /// Input source types.
    pub storage_sources: Vec<String>,
    /// What it shares out.
    pub max_capacity: Resources,
    /// What queued executions hold.
    pub queue_capacity: Resources,
    /// What is free.
    pub available_capacity: Resources,
    /// The most one job may ask for.
    pub max_job_requirements: Resources,
    /// Number running.
    pub running_executions: u32,
    /// Number waiting.
    pub enqueued_executions: u32,
    /// Where it dials from.
    #[serde(rename = "address", default)]
    pub address: String,
}

/// Whether and since when a node is connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectionState {
    /// `CONNECTED` or `DISCONNECTED`.
    pub status: String,
    /// RFC 3339.
    pub last_heartbeat: String,
    /// Last report acknowledged.
    pub last_compute_seq_num: u64,
    /// Not used by this link: assignments are resent as state.
    pub last_orchestrator_seq_num: u64,
    /// RFC 3339.
    pub connected_since: String,
    /// RFC 3339.
    pub disconnected_since: String,
}

/// Answer of `GET /orchestrator/nodes`: the key is `Nodes`, not `Items`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ListNodesResponse {
    /// Always empty: nodes are listed whole.
    pub next_token: String,
    /// The nodes.
    pub nodes: Vec<NodeState>,
}

/// Body of `PUT /orchestrator/nodes/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutNodeRequest {
    /// `approve`, `reject`, `delete`, `cordon`, `uncordon`, `drain` or `label`.
    pub action: String,
    /// Why, for the log.
    pub message: String,
    /// The path counts, not this.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// Of `drain`: in so many seconds what is left is given to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<u64>,
    /// Of `label`: what counts whatever the node says; null lets the node say it again.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Option<String>>,
}

/// Answer of `PUT /orchestrator/nodes/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutNodeResponse {
    /// Always true: a failure is an error.
    pub success: bool,
}

/// Answer of `GET /orchestrator/nodes/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct GetNodeResponse {
    /// The node.
    pub node: NodeState,
}
