//! `GET /orchestrator/sealing-keys`: to which keys secrets can be sealed.

use axum::{extract::State, response::Response};
use skrei_protocol::api::secret::{ListSealingKeysResponse, NodeKey};
use skrei_scheduler::Membership;

use crate::api::{Api, error::ApiError, json};

/// The keys of the nodes that are linked and approved: whoever submits a job can seal its secrets to them. Whether a key is
/// that of the node, whoever asks judges by what they know of it.
#[utoipa::path(get, path = "/orchestrator/sealing-keys", tag = "Secrets", operation_id = "listSealingKeys",
    responses((status = 200, body = ListSealingKeysResponse)))]
pub(in crate::api) async fn recipients(State(api): State<Api>) -> Result<Response, ApiError> {
    // A node that was welcomed may not be on the disk yet.
    api.orchestrator.settle().await?;
    let nodes = api.orchestrator.store.nodes().await?;
    let key = |node: skrei_scheduler::Node| {
        let peer = api.orchestrator.hub.peer(&node.info.id)?;
        (!peer.info.sealing_key.is_empty()).then(|| NodeKey {
            node_id: node.info.id.to_string(),
            sealing_key: peer.info.sealing_key,
            labels: node.info.labels,
        })
    };
    let approved = nodes.into_iter().filter(|node| node.info.membership == Membership::Approved);
    Ok(json(&ListSealingKeysResponse { items: approved.filter_map(key).collect() }))
}
