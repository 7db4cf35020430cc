//! What this process says of itself (reference 3.1).

use axum::{extract::State, response::Response};
use serde_json::Map;
use skrei_access::ProviderSettings;
use skrei_job::labels::Labels;
use skrei_protocol::{
    api::{
        AgentConfig, Alive,
        auth::{AuthConfig, LoginConfig},
        node::{ComputeNodeInfo, NodeInfo},
    },
    link::PROTOCOL,
    version::{BuildInfo, arch, os},
};

use super::Api;

/// Whether the orchestrator is there.
#[utoipa::path(get, path = "/agent/alive", tag = "Agent", operation_id = "alive",
    responses((status = 200, body = Alive)))]
pub(super) async fn alive() -> Response {
    super::json(&Alive { status: "OK".to_owned() })
}

/// What the orchestrator was built as.
#[utoipa::path(get, path = "/agent/version", tag = "Agent", operation_id = "version",
    responses((status = 200, body = BuildInfo)))]
pub(super) async fn version() -> Response {
    super::json(&BuildInfo::current())
}

/// What the orchestrator says of itself as a node.
#[utoipa::path(get, path = "/agent/node", tag = "Agent", operation_id = "agentNode",
    responses((status = 200, body = NodeInfo)))]
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
#[utoipa::path(get, path = "/agent/debug", tag = "Agent", operation_id = "agentDebug",
    responses((status = 200, body = BTreeMap<String, Value>)))]
pub(super) async fn debug() -> Response {
    super::json(&Map::new())
}

/// Where callers can log in, if there is an identity provider.
#[utoipa::path(get, path = "/agent/authconfig", tag = "Agent", operation_id = "agentAuthConfig",
    responses((status = 200, body = AuthConfig)))]
pub(super) async fn auth_config(State(api): State<Api>) -> Response {
    let provider = api.orchestrator.config.callers.access.provider();
    let config = provider.map(|provider| login(provider.settings())).unwrap_or_default();
    super::json(&AuthConfig { version: "1.0.0".to_owned(), config })
}

fn login(provider: &ProviderSettings) -> LoginConfig {
    LoginConfig {
        provider_id: provider.id.clone(),
        provider_name: provider.name.clone(),
        token_endpoint: provider.token_endpoint.clone(),
        jwks_uri: provider.jwks.clone(),
        issuer: provider.issuer.clone(),
        device_client_id: provider.device_client.clone(),
        audience: provider.audience.clone(),
        scopes: provider.scopes.clone(),
        device_authorization_endpoint: provider.device_endpoint.clone(),
        polling_interval: provider.polling_interval.as_secs(),
    }
}

/// The configuration in force, secrets masked.
#[utoipa::path(get, path = "/agent/config", tag = "Agent", operation_id = "agentConfig",
    responses((status = 200, body = AgentConfig)))]
pub(super) async fn config(State(api): State<Api>) -> Response {
    super::json(&AgentConfig { config: api.orchestrator.config.settings.clone() })
}
