//! `DELETE /orchestrator/secrets/{name}`: from now on no job gets it, whatever it was granted.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_protocol::api::secret::RemoveSecretResponse;
use utoipa::IntoParams;

use super::{name, namespace};
use crate::api::{Api, error::ApiError, json, query::Query, segment::Segment};

/// Where the secret that a path names is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct Place {
    /// Namespace of the secret. Empty: `default`.
    pub(super) namespace: String,
}

/// Removes a secret: no job gets it any more.
#[utoipa::path(delete, path = "/orchestrator/secrets/{name}", tag = "Secrets", operation_id = "removeSecret",
    params(("name" = String, Path, description = "The secret's name"), Place),
    responses((status = 200, body = RemoveSecretResponse)))]
pub(in crate::api) async fn remove(
    State(api): State<Api>,
    Segment(text): Segment,
    Query(place): Query<Place>,
) -> Result<Response, ApiError> {
    let (name, namespace) = (name(&text)?, namespace(&place.namespace));
    if api.orchestrator.store.remove_secret(namespace.clone(), name.clone()).await? {
        tracing::info!(%name, namespace, "a secret was removed");
        Ok(json(&RemoveSecretResponse {}))
    } else {
        Err(ApiError::not_found("secret", name.as_str(), "`skrei secret list` shows the secrets there are"))
    }
}
