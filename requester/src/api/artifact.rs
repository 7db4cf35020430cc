//! Taking in artifacts, and telling which are held.

use axum::{body::Body, extract::State, response::Response};
use skrei_job::Digest;
use skrei_protocol::api::{artifact::Artifact, error::ErrorBody};

use super::{Api, error::ApiError, segment::Segment};

/// Whether the content with this digest is held, and how large it is. What is held is not given out here.
#[utoipa::path(get, path = "/orchestrator/artifacts/{digest}", tag = "Artifacts", operation_id = "getArtifact",
    params(("digest" = String, Path, description = "SHA-256 in hexadecimal digits", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, body = Artifact)))]
pub(super) async fn head(State(api): State<Api>, Segment(hex): Segment) -> Result<Response, ApiError> {
    let digest = digest(&hex)?;
    match api.orchestrator.artifacts.size(digest).await {
        Some(size) => Ok(super::json(&Artifact { digest, size })),
        None => Err(ApiError::not_found("artifact", &hex, "send its content with PUT")),
    }
}

/// Takes in the body under its digest.
#[utoipa::path(put, path = "/orchestrator/artifacts/{digest}", tag = "Artifacts", operation_id = "putArtifact",
    params(("digest" = String, Path, description = "SHA-256 in hexadecimal digits", pattern = "^[0-9a-f]{64}$")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "At most 512 MiB"),
    responses((status = 200, body = Artifact),
        (status = 413, description = "More than 512 MiB", body = ErrorBody)))]
pub(super) async fn store(
    State(api): State<Api>,
    Segment(hex): Segment,
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
