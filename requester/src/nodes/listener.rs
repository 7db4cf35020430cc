//! The port that nodes dial: the link, the artifacts they need, and the results they hand over.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Path, State, WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing,
};
use skrei_protocol::{
    link::{ARTIFACTS_PATH, LINK_PATH, MESSAGE_MAX_BYTES},
    results::RESULTS_PATH,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{results, session};
use crate::{nodes::session::token_matches, orchestrator::Orchestrator};

/// Buffers of one link. The library's own are 128 KiB, of which an idle node would use nothing.
const LINK_BUFFER_BYTES: usize = 4 << 10;

/// Pieces of results that are in memory at a time, for all nodes.
const PIECES_MAX: usize = 16;

#[derive(Clone)]
pub(super) struct Nodes {
    pub(super) orchestrator: Arc<Orchestrator>,
    shutdown: CancellationToken,
    /// A permit for each piece of results in memory.
    pub(super) pieces: Arc<Semaphore>,
}

/// The routes of the node listener.
pub(crate) fn router(orchestrator: Arc<Orchestrator>, shutdown: CancellationToken) -> Router {
    Router::new()
        .route(LINK_PATH, routing::get(link))
        .route(&format!("{ARTIFACTS_PATH}/{{digest}}"), routing::get(artifact))
        .route(&format!("{RESULTS_PATH}/{{job}}/{{execution}}"), routing::put(results::take))
        .with_state(Nodes { orchestrator, shutdown, pieces: Arc::new(Semaphore::new(PIECES_MAX)) })
}

async fn link(
    State(Nodes { orchestrator, shutdown, .. }): State<Nodes>,
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

/// Whether a request shows the join token.
pub(super) fn may_enter(orchestrator: &Orchestrator, headers: &HeaderMap) -> bool {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    token_matches(orchestrator.config.token.as_deref(), shown)
}

async fn artifact(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    Path(hex): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !may_enter(&orchestrator, &headers) {
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
