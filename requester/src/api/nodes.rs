//! `GET /orchestrator/nodes` and `GET /orchestrator/nodes/{id}` (reference 3.12).

use axum::{
    extract::{Path, State},
    response::Response,
};
use skrei_protocol::{
    api::{
        error::{Code, ErrorBody},
        node::{ComputeNodeInfo, ConnectionState, GetNodeResponse, ListNodesResponse, NodeInfo, NodeState},
        resources::Resources,
        time::{ZERO, rfc3339},
    },
    link::PROTOCOL,
    version::BuildInfo,
};
use skrei_scheduler::{Connection, Node};

use super::{Api, error::ApiError, query::Query, selector};
use crate::nodes::Peer;

pub(super) async fn list(State(api): State<Api>, query: Query) -> Result<Response, ApiError> {
    let labels = selector::parse(query.all("labels"))?;
    let filter = |names: [&str; 2]| names.map(|name| query.text(name).to_uppercase()).concat();
    let (approval, status) =
        (filter(["filter-approval", "filter_approval"]), filter(["filter-status", "filter_status"]));
    let mut nodes: Vec<NodeState> = api
        .orchestrator
        .store
        .nodes()
        .await?
        .iter()
        .filter(|node| labels.iter().all(|requirement| requirement.matches(&node.info.labels)))
        .map(|node| wire(node, api.orchestrator.hub.peer(&node.info.id)))
        .filter(|node| approval.is_empty() || node.membership == approval)
        .filter(|node| status.is_empty() || node.connection == status)
        .collect();
    if query.flag("reverse")? {
        nodes.reverse();
    }
    match query.number("limit")? {
        0 => {}
        limit => nodes.truncate(usize::try_from(limit).unwrap_or(usize::MAX)),
    }
    Ok(super::json(&ListNodesResponse { next_token: String::new(), nodes }))
}

pub(super) async fn get(State(api): State<Api>, Path(text): Path<String>) -> Result<Response, ApiError> {
    let nodes = api.orchestrator.store.nodes().await?;
    let exact = nodes.iter().find(|node| node.info.id.as_str() == text);
    let mut near = nodes.iter().filter(|node| node.info.id.as_str().starts_with(&text));
    let node = match (exact, near.next(), near.next()) {
        (Some(node), _, _) | (None, Some(node), None) => node,
        (None, None, _) => {
            return Err(ApiError::not_found("node", &text, "`skrei node list` shows the nodes there are"));
        }
        (None, Some(_), Some(_)) => {
            let message = format!("`{text}` stands for more than one node");
            return Err(ErrorBody::new(Code::MultipleNodesFound, message).hint("use more of the id").into());
        }
    };
    let node = wire(node, api.orchestrator.hub.peer(&node.info.id));
    Ok(super::json(&GetNodeResponse { node }))
}

fn wire(node: &Node, peer: Option<Peer>) -> NodeState {
    let status = if peer.is_some() { "CONNECTED" } else { "DISCONNECTED" }.to_owned();
    let since = match node.connection {
        Connection::Connected => ZERO.to_owned(),
        Connection::Away { since } | Connection::Lost { since } => rfc3339(since),
    };
    let capacity = Resources::from(node.info.capacity);
    let mut compute = ComputeNodeInfo {
        execution_engines: node.info.engines.iter().cloned().collect(),
        max_capacity: capacity,
        max_job_requirements: capacity,
        ..ComputeNodeInfo::default()
    };
    let mut connection = ConnectionState {
        status: status.clone(),
        last_heartbeat: ZERO.to_owned(),
        last_compute_seq_num: 0,
        last_orchestrator_seq_num: 0,
        connected_since: ZERO.to_owned(),
        disconnected_since: since,
    };
    let mut version = BuildInfo::current();
    if let Some(peer) = peer {
        compute.publishers = peer.info.publishers;
        compute.storage_sources = peer.info.sources;
        compute.available_capacity = Resources::from(peer.load.available);
        compute.running_executions = peer.load.running;
        compute.enqueued_executions = peer.load.waiting;
        compute.address = peer.address.to_string();
        connection.last_heartbeat = rfc3339(peer.heard);
        connection.connected_since = rfc3339(peer.since);
        connection.last_compute_seq_num = peer.acknowledged;
        version.git_version = format!("v{}", peer.version);
    }
    NodeState {
        info: NodeInfo {
            node_id: node.info.id.to_string(),
            node_type: "Compute".to_owned(),
            labels: node.info.labels.clone(),
            supported_protocols: vec![PROTOCOL.to_owned()],
            compute_node_info: compute,
            bacalhau_version: version,
        },
        membership: node.info.membership.as_str().to_uppercase(),
        connection: status,
        connection_state: connection,
    }
}
