//! Taking in artifacts, and telling which are held.

use axum::{
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use skrei_job::Digest;
use skrei_protocol::api::artifact::Artifact;

use super::{Api, error::ApiError};

/// `HEAD /orchestrator/artifacts/{digest}`: 200 if held, 404 if not. What is held is not given out here.
pub(super) async fn head(State(api): State<Api>, Path(hex): Path<String>) -> Result<Response, ApiError> {
    let status = match api.orchestrator.artifacts.size(digest(&hex)?).await {
        Some(_) => StatusCode::OK,
        None => StatusCode::NOT_FOUND,
    };
    Ok((status, [(header::CONTENT_TYPE, "application/json")], "{}").into_response())
}

/// `PUT /orchestrator/artifacts/{digest}`: takes in the body under its digest.
pub(super) async fn store(
    State(api): State<Api>,
    Path(hex): Path<String>,
    body: Body,
) -> Result<Response, ApiError> {
    let digest = digest(&hex)?;
    let size = match api.orchestrator.artifacts.size(digest).await {
        Some(size) => size,
        None => api.orchestrator.artifacts.store(digest, body).await?,
    };
    Ok(super::json(&Artifact { digest, size }))
}

fn digest(hex: &str) -> Result<Digest, ApiError> {
    format!("sha256:{hex}")
        .parse()
        .map_err(|_| ApiError::bad_request("the path must end in a SHA-256 digest of 64 hexadecimal digits"))
}
