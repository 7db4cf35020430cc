//! `GET /orchestrator/secrets`: names, scopes and fingerprints.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_protocol::api::secret::ListSecretsResponse;
use utoipa::IntoParams;

use super::{namespace, wire};
use crate::api::{Api, error::ApiError, json, query::Query};

/// Stands for every namespace.
const ALL: &str = "*";

/// Which secrets.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct Asked {
    /// Namespace; `*` is all. Empty: `default`.
    namespace: String,
}

/// The secrets of a namespace. No value is shown, here or anywhere.
#[utoipa::path(get, path = "/orchestrator/secrets", tag = "Secrets", operation_id = "listSecrets",
    params(Asked), responses((status = 200, body = ListSecretsResponse)))]
pub(in crate::api) async fn list(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, ApiError> {
    let namespace = match asked.namespace.as_str() {
        ALL => String::new(),
        text => namespace(text),
    };
    let secrets = api.orchestrator.store.secrets(namespace).await?;
    Ok(json(&ListSecretsResponse { items: secrets.into_iter().map(wire).collect() }))
}
