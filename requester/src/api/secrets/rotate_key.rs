//! `PUT /orchestrator/secret-key`: a new key for everything that is locked, while jobs run.

use axum::{extract::State, response::Response};
use skrei_protocol::api::secret::RotateKeyResponse;

use crate::{
    api::{Api, error::ApiError, json},
    secrets,
};

/// Locks every secret again with a new key.
#[utoipa::path(put, path = "/orchestrator/secret-key", tag = "Secrets", operation_id = "rotateSecretKey",
    responses((status = 200, body = RotateKeyResponse)))]
pub(in crate::api) async fn rotate_key(State(api): State<Api>) -> Result<Response, ApiError> {
    let (key, relocked) = secrets::rotate(&api.orchestrator).await?;
    Ok(json(&RotateKeyResponse { key: key.to_string(), relocked }))
}
