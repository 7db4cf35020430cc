//! What this process says of itself (reference 3.1).

use axum::{extract::State, response::Response};
use serde_json::json;
use skrei_job::labels::Labels;
use skrei_protocol::{
    api::{
        Alive,
        node::{ComputeNodeInfo, NodeInfo},
    },
    link::PROTOCOL,
    version::{BuildInfo, arch, os},
};

use super::Api;

pub(super) async fn alive() -> Response {
    super::json(&Alive { status: "OK".to_owned() })
}

pub(super) async fn version() -> Response {
    super::json(&BuildInfo::current())
}

pub(super) async fn node(State(api): State<Api>) -> Response {
    let id = api.orchestrator.node().to_string();
    super::json(&NodeInfo {
        node_id: id.clone(),
        node_type: "Requester".to_owned(),
        labels: Labels::from([
            ("name".to_owned(), id),
            ("os_type".to_owned(), os().to_owned()),
            ("os_arch".to_owned(), arch().to_owned()),
        ]),
        supported_protocols: vec![PROTOCOL.to_owned()],
        compute_node_info: ComputeNodeInfo::default(),
        bacalhau_version: BuildInfo::current(),
    })
}

/// Nothing that the other paths do not say.
pub(super) async fn debug() -> Response {
    super::json(&json!({}))
}

/// There is no provider of identities.
pub(super) async fn auth_config() -> Response {
    super::json(&json!({"Version": "1.0.0", "Config": {}}))
}

pub(super) async fn config(State(api): State<Api>) -> Response {
    super::json(&json!({ "config": api.orchestrator.config.settings }))
}
