//! `/orchestrator/nodes` (reference 3.12).

use std::{cmp::Reverse, time::Duration};

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::NodeId;
use skrei_protocol::{
    api::{
        error::{Code, ErrorBody},
        node::{
            ComputeNodeInfo, ConnectionState, GetNodeResponse, ListNodesResponse, NodeInfo, NodeState,
            PutNodeRequest, PutNodeResponse,
        },
        resources::Resources,
        time::{ZERO, rfc3339},
    },
    link::PROTOCOL,
    version::BuildInfo,
};
use skrei_scheduler::{Connection, Node};

use utoipa::IntoParams;

use super::{Api, body::Body, error::ApiError, guard::Subject, query::Query, segment::Segment, selector};
use crate::{decide::Order, nodes::Peer};

/// How much of what somebody says about an order is logged.
const MESSAGE_CHARS_MAX: usize = 500;

/// How long a node that is drained gets unless the caller says.
const DRAIN_DEFAULT: Duration = Duration::from_secs(3600);

/// Labels set at once, and how long their names and values may be: constraints are about them.
const LABELS_MAX: usize = 100;
const LABEL_CHARS_MAX: usize = 253;

/// How nodes are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListNodes {
    /// Label selectors, all of which must hold: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    labels: Vec<String>,
    /// `approved`, `pending` or `rejected`, in any case; also as `filter_approval`.
    #[serde(rename = "filter-approval", alias = "filter_approval")]
    filter_approval: String,
    /// `connected` or `disconnected`, in any case; also as `filter_status`.
    #[serde(rename = "filter-status", alias = "filter_status")]
    filter_status: String,
    /// Nodes listed; 0: all.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// Default `id`. Amounts go from the largest to the smallest.
    #[param(inline)]
    order_by: Option<OrderBy>,
    /// The last first.
    reverse: bool,
}

/// By what nodes are ordered.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    Id,
    Type,
    AvailableCpu,
    AvailableMemory,
    AvailableDisk,
    AvailableGpu,
    Approval,
    Status,
}

impl OrderBy {
    /// Sorts; what is equal stays in the order of ids.
    fn sort(self, nodes: &mut [NodeState]) {
        let free = |node: &NodeState| node.info.compute_node_info.available_capacity;
        match self {
            Self::Id => {}
            Self::Type => nodes.sort_by(|a, b| a.info.node_type.cmp(&b.info.node_type)),
            Self::AvailableCpu => nodes.sort_by(|a, b| free(b).cpu.total_cmp(&free(a).cpu)),
            Self::AvailableMemory => nodes.sort_by_key(|node| Reverse(free(node).memory)),
            Self::AvailableDisk => nodes.sort_by_key(|node| Reverse(free(node).disk)),
            Self::AvailableGpu => nodes.sort_by_key(|node| Reverse(free(node).gpu)),
            Self::Approval | Self::Status => nodes.sort_by(|a, b| a.membership.cmp(&b.membership)),
        }
    }
}

/// The nodes there are.
#[utoipa::path(get, path = "/orchestrator/nodes", tag = "Nodes", operation_id = "listNodes",
    params(ListNodes), responses((status = 200, body = ListNodesResponse)))]
pub(super) async fn list(
    State(api): State<Api>,
    Query(asked): Query<ListNodes>,
) -> Result<Response, ApiError> {
    let labels = selector::parse(asked.labels.iter().map(String::as_str))?;
    let approval = word("filter-approval", &asked.filter_approval, &["APPROVED", "PENDING", "REJECTED"])?;
    let status = word("filter-status", &asked.filter_status, &["CONNECTED", "DISCONNECTED"])?;
    let mut nodes: Vec<NodeState> = api
        .orchestrator
        .store
        .nodes()
        .await?
        .iter()
        .filter(|node| labels.iter().all(|requirement| requirement.matches(&node.info.labels)))
        .map(|node| wire(node, api.orchestrator.hub.peer(&node.info.id)))
        .filter(|node| approval.is_none_or(|approval| node.membership == approval))
        .filter(|node| status.is_none_or(|status| node.connection == status))
        .collect();
    asked.order_by.unwrap_or(OrderBy::Id).sort(&mut nodes);
    if asked.reverse {
        nodes.reverse();
    }
    if asked.limit > 0 {
        nodes.truncate(asked.limit as usize);
    }
    Ok(super::json(&ListNodesResponse { next_token: String::new(), nodes }))
}

/// Which of these words a parameter is, in any case; none if it is empty.
fn word(name: &str, given: &str, words: &[&'static str]) -> Result<Option<&'static str>, ApiError> {
    let found = words.iter().find(|word| word.eq_ignore_ascii_case(given)).copied();
    if found.is_none() && !given.is_empty() {
        let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.to_lowercase())).collect();
        let words = words.join(", ");
        return Err(ApiError::bad_request(format!("query parameter `{name}` is one of {words}")));
    }
    Ok(found)
}

/// A node by id or the beginning of it.
#[utoipa::path(get, path = "/orchestrator/nodes/{id}", tag = "Nodes", operation_id = "getNode",
    params(("id" = String, Path, description = "Id or beginning of it")),
    responses((status = 200, body = GetNodeResponse)))]
pub(super) async fn get(State(api): State<Api>, Segment(text): Segment) -> Result<Response, ApiError> {
    let node = find(&api, &text).await?;
    let peer = api.orchestrator.hub.peer(&node.info.id);
    Ok(super::json(&GetNodeResponse { node: wire(&node, peer) }))
}

/// Carries out what somebody decides about a node. It takes the whole id: what begins with it is another node.
#[utoipa::path(put, path = "/orchestrator/nodes/{id}", tag = "Nodes", operation_id = "putNode",
    params(("id" = String, Path, description = "The whole id")),
    request_body = PutNodeRequest, responses(
        (status = 200, body = PutNodeResponse),
        (status = 409, description = "It is so already", body = ErrorBody)))]
pub(super) async fn order(
    State(api): State<Api>,
    Segment(text): Segment,
    body: Body,
) -> Result<Response, ApiError> {
    let asked: PutNodeRequest = body.read()?;
    let message: String = asked.message.chars().take(MESSAGE_CHARS_MAX).collect();
    let order = read(asked)?;
    let named: String = text.chars().take(LABEL_CHARS_MAX).collect();
    let subject = Subject(format!("{} {named}", order.as_str()));
    Ok(subject.of(carry_out(&api, &text, order, &message).await))
}

async fn carry_out(api: &Api, text: &str, order: Order, message: &str) -> Result<Response, ApiError> {
    let node = exactly(api, text).await?;
    tracing::info!(%node, ?order, message = %message.escape_debug(), "an order about a node");
    api.orchestrator.order(node, order).await?;
    Ok(super::json(&PutNodeResponse { success: true }))
}

fn read(asked: PutNodeRequest) -> Result<Order, ApiError> {
    let PutNodeRequest { action, deadline, labels, .. } = asked;
    Ok(match action.to_ascii_lowercase().as_str() {
        "approve" => Order::Approve,
        "reject" => Order::Reject,
        "delete" => Order::Delete,
        "cordon" => Order::Cordon,
        "uncordon" => Order::Uncordon,
        "drain" => Order::Drain(deadline.map_or(DRAIN_DEFAULT, Duration::from_secs)),
        "label" => {
            let is_right = |(name, value): (&String, &Option<String>)| {
                is_label(name) && !name.is_empty() && value.as_deref().is_none_or(is_label)
            };
            if labels.is_empty() || labels.len() > LABELS_MAX || !labels.iter().all(is_right) {
                let message = format!(
                    "`Labels` are 1 to {LABELS_MAX} names with their values, each of at most {LABEL_CHARS_MAX} letters, \
                     digits and `-_./`"
                );
                return Err(ApiError::bad_request(message));
            }
            Order::Label(labels)
        }
        _ => {
            let shown: String = action.chars().take(100).collect();
            let message = format!("`{}` is nothing that is done with a node", shown.escape_debug());
            let hint = "approve, reject, delete, cordon, uncordon, drain or label";
            return Err(ErrorBody::new(Code::BadRequest, message).hint(hint).into());
        }
    })
}

fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    text.len() <= LABEL_CHARS_MAX && text.chars().all(plain)
}

/// The node of this id alone: an order that hits another node than it was meant for cannot be taken back.
async fn exactly(api: &Api, text: &str) -> Result<NodeId, ApiError> {
    let nodes = api.orchestrator.store.nodes().await?;
    let mut ids = nodes.iter().map(|node| &node.info.id);
    if let Some(id) = ids.clone().find(|id| id.as_str() == text) {
        return Ok(id.clone());
    }
    let hint = match ids.find(|id| id.as_str().starts_with(text)) {
        Some(near) if !text.is_empty() => {
            format!("an order takes the whole id of a node, such as `{near}`")
        }
        _ => "`skrei node list` shows the nodes there are".to_owned(),
    };
    Err(ApiError::not_found("node", text, &hint))
}

/// The node of this id, or the only one whose id begins so.
async fn find(api: &Api, text: &str) -> Result<Node, ApiError> {
    let nodes = api.orchestrator.store.nodes().await?;
    let exact = nodes.iter().find(|node| node.info.id.as_str() == text);
    let mut near = nodes.iter().filter(|node| node.info.id.as_str().starts_with(text));
    match (exact, near.next(), near.next()) {
        (Some(node), _, _) | (None, Some(node), None) => Ok(node.clone()),
        (None, None, _) => {
            Err(ApiError::not_found("node", text, "`skrei node list` shows the nodes there are"))
        }
        (None, Some(_), Some(_)) => {
            let message = format!("`{text}` stands for more than one node");
            Err(ErrorBody::new(Code::MultipleNodesFound, message).hint("use more of the id").into())
        }
    }
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
        connection.last_compute_seq_num = peer.acknowledged();
        compute.publishers = peer.info.publishers;
        compute.storage_sources = peer.info.sources;
        compute.available_capacity = Resources::from(peer.load.available);
        compute.running_executions = peer.load.running;
        compute.enqueued_executions = peer.load.waiting;
        compute.address = peer.address.to_string();
        connection.last_heartbeat = rfc3339(peer.heard);
        connection.connected_since = rfc3339(peer.since);
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
        cordoned: node.orders.cordoned,
        unwell: node.unwell.clone().unwrap_or_default(),
        drain: node.orders.drain.map(rfc3339).unwrap_or_default(),
        central_labels: node.orders.labels.clone(),
    }
}
