//! Taking in artifacts, and telling which are held.

use std::time::Duration;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use skrei_job::Digest;
use skrei_protocol::api::{
    artifact::{ARTIFACT_PIECE_BYTES_MAX, Artifact, UPLOAD_OFFSET},
    error::ErrorBody,
};

use super::{Api, error::ApiError, segment::Segment};

/// How long a piece may take: as others wait for its end, no longer than a poor connection needs.
const PIECE_TIME_MAX: Duration = Duration::from_secs(600);

/// Whether the content with this digest is held, and how large it is. What is held is not given out here. If it is not, how
/// much of it has come in, in the header `Upload-Offset`.
#[utoipa::path(get, path = "/orchestrator/artifacts/{digest}", tag = "Artifacts", operation_id = "getArtifact",
    params(("digest" = String, Path, description = "SHA-256 in hexadecimal digits", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, body = Artifact)))]
pub(super) async fn head(State(api): State<Api>, Segment(hex): Segment) -> Result<Response, ApiError> {
    let (artifacts, digest) = (&api.orchestrator.artifacts, digest(&hex)?);
    if let Some(size) = artifacts.need(digest).await {
        return Ok(super::json(&Artifact { digest, size }));
    }
    let missing = ApiError::not_found("artifact", &hex, "send its content with PUT");
    Ok(with_offset(missing.into_response(), artifacts.received(digest)))
}

/// Takes in the body under its digest, or with a `Content-Range` a piece of it. A piece is answered with 202 and, in the
/// header `Upload-Offset`, how much has come in: go on from there. The last one is answered as the whole is.
#[utoipa::path(put, path = "/orchestrator/artifacts/{digest}", tag = "Artifacts", operation_id = "putArtifact",
    params(("digest" = String, Path, description = "SHA-256 in hexadecimal digits", pattern = "^[0-9a-f]{64}$"),
        ("Content-Range" = Option<String>, Header, description = "`bytes FIRST-LAST/ALL`, for a piece of at most 8 MiB")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "At most 512 MiB"),
    responses((status = 200, body = Artifact),
        (status = 202, body = Artifact, description = "A piece is taken in; the size is what has come in"),
        (status = 413, description = "More than 512 MiB", body = ErrorBody),
        (status = 429, description = "Another piece of it is being taken in", body = ErrorBody)))]
pub(super) async fn store(
    State(api): State<Api>,
    Segment(hex): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let (artifacts, digest) = (&api.orchestrator.artifacts, digest(&hex)?);
    let range = headers.get(header::CONTENT_RANGE);
    if let Some(size) = artifacts.need(digest).await {
        return Ok(super::json(&Artifact { digest, size }));
    }
    let Some(range) = range else {
        let size = artifacts.store(digest, body).await?;
        return Ok(super::json(&Artifact { digest, size }));
    };
    let (offset, size) =
        range.to_str().ok().and_then(content_range).ok_or_else(|| {
            ApiError::bad_request("`Content-Range` must be of the form `bytes FIRST-LAST/ALL`")
        })?;
    // Only so many pieces are in memory at a time; the others wait on the wire.
    let _turn = artifacts.turn().await;
    let piece = tokio::time::timeout(PIECE_TIME_MAX, axum::body::to_bytes(body, ARTIFACT_PIECE_BYTES_MAX));
    let piece = piece.await.ok().and_then(Result::ok).ok_or_else(|| {
        ApiError::bad_request(format!(
            "the piece broke off, or has more than {ARTIFACT_PIECE_BYTES_MAX} bytes"
        ))
    })?;
    let received = artifacts.append(digest, (offset, size), piece).await?;
    let answer = super::json(&Artifact { digest, size: received });
    Ok(match received == size {
        true => answer,
        false => with_offset((StatusCode::ACCEPTED, answer).into_response(), received),
    })
}

fn with_offset(mut answer: Response, received: u64) -> Response {
    answer.headers_mut().insert(UPLOAD_OFFSET, HeaderValue::from(received));
    answer
}

/// First byte and whole size.
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, size) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, size.parse().ok()?))
}

fn digest(hex: &str) -> Result<Digest, ApiError> {
    format!("sha256:{hex}")
        .parse()
        .map_err(|_| ApiError::bad_request("the path must end in a SHA-256 digest of 64 hexadecimal digits"))
}
