//! The port that nodes dial: the link, and the artifacts they need.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Path, State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing,
};
use skrei_protocol::link::{ARTIFACTS_PATH, LINK_PATH, MESSAGE_MAX_BYTES};
use tokio_util::sync::CancellationToken;

use super::session;
use crate::{nodes::session::token_matches, orchestrator::Orchestrator};

/// Buffers of one link. The library's own are 128 KiB, of which an idle node would use nothing.
const LINK_BUFFER_BYTES: usize = 4 << 10;

#[derive(Clone)]
struct Nodes {
    orchestrator: Arc<Orchestrator>,
    shutdown: CancellationToken,
}

/// The routes of the node listener.
pub(crate) fn router(orchestrator: Arc<Orchestrator>, shutdown: CancellationToken) -> Router {
    Router::new()
        .route(LINK_PATH, routing::get(link))
        .route(&format!("{ARTIFACTS_PATH}/{{digest}}"), routing::get(artifact))
        .with_state(Nodes { orchestrator, shutdown })
}

async fn link(
    State(Nodes { orchestrator, shutdown }): State<Nodes>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .read_buffer_size(LINK_BUFFER_BYTES)
        .write_buffer_size(LINK_BUFFER_BYTES)
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES)
        .on_upgrade(move |socket| session::run(orchestrator, socket, address, shutdown))
}

async fn artifact(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    Path(hex): Path<String>,
    headers: HeaderMap,
) -> Response {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !token_matches(orchestrator.config.token.as_deref(), shown) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(digest) = format!("sha256:{hex}").parse() else {
        return (StatusCode::BAD_REQUEST, "not a digest").into_response();
    };
    match orchestrator.artifacts.content(digest).await {
        Ok(Some((size, body))) => ([(header::CONTENT_LENGTH, size)], body).into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "no such artifact").into_response(),
        Err(error) => {
            tracing::error!(%digest, %error, "an artifact cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
