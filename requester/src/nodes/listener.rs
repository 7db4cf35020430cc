//! The port that nodes dial: joining, the link, the artifacts they need, and the results they hand over.
//!
//! A route that takes a [`Caller`] is for nodes that have joined, and knows which one asks; what it may have is then for
//! the route to say.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRef, Path, State, WebSocketUpgrade},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing,
};
use futures_util::StreamExt as _;
use skrei_job::Digest;
use skrei_protocol::{
    join::{JOIN_PATH, LOCAL_PATH, RENEW_PATH, Refusal},
    link::{ARTIFACTS_PATH, LINK_PATH, MESSAGE_MAX_BYTES},
    results::RESULTS_PATH,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{
    caller::{Peer, refuse},
    greeting,
    identities::{Caller, Stranger},
    join, results, session,
};
use crate::orchestrator::Orchestrator;

/// Buffers of one link. The library's own are 128 KiB, of which an idle node would use nothing. What is longer is read in
/// pieces, out of what was decrypted at once.
const LINK_READ_BYTES: usize = 1 << 10;
const LINK_WRITE_BYTES: usize = 4 << 10;

/// Pieces of results that are in memory at a time, for all nodes.
const PIECES_MAX: usize = 16;

/// Largest body of a request to join: a few kilobytes are sent.
const JOIN_MAX_BYTES: usize = 16 << 10;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Nodes {
    pub(crate) orchestrator: Arc<Orchestrator>,
    pub(crate) shutdown: CancellationToken,
    /// A permit for each piece of results in memory.
    pub(crate) pieces: Arc<Semaphore>,
}

impl FromRef<Nodes> for Arc<Orchestrator> {
    fn from_ref(nodes: &Nodes) -> Self {
        Self::clone(&nodes.orchestrator)
    }
}

/// The routes of the node listener.
pub(crate) fn router(orchestrator: Arc<Orchestrator>, shutdown: CancellationToken) -> Router {
    Router::new()
        .route(JOIN_PATH, routing::post(join::join))
        .route(RENEW_PATH, routing::post(join::renew))
        .layer(DefaultBodyLimit::max(JOIN_MAX_BYTES))
        .route(LOCAL_PATH, routing::get(join::local))
        .route(LINK_PATH, routing::get(link))
        .route(&format!("{ARTIFACTS_PATH}/{{digest}}"), routing::get(artifact))
        .route(&format!("{RESULTS_PATH}/{{job}}/{{execution}}"), routing::put(results::take))
        .with_state(Nodes { orchestrator, shutdown, pieces: Arc::new(Semaphore::new(PIECES_MAX)) })
}

/// A stranger gets its link, too, for as long as it takes to say in the link's own words why it gets none.
async fn link(
    State(Nodes { orchestrator, shutdown, .. }): State<Nodes>,
    Extension(peer): Extension<Peer>,
    caller: Result<Caller, Stranger>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let upgrade = upgrade
        .read_buffer_size(LINK_READ_BYTES)
        .write_buffer_size(LINK_WRITE_BYTES)
        .max_message_size(MESSAGE_MAX_BYTES)
        .max_frame_size(MESSAGE_MAX_BYTES);
    match caller {
        Ok(caller) => upgrade
            .on_upgrade(move |socket| session::run(orchestrator, socket, caller, peer.address, shutdown)),
        Err(stranger) => {
            tracing::warn!(address = %peer.address, ?stranger, "a caller was turned away");
            upgrade.on_upgrade(move |socket| greeting::turn_away(socket, stranger.refusal()))
        }
    }
}

/// Content that an execution of the caller's needs; nothing else.
async fn artifact(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    caller: Caller,
    Path(hex): Path<String>,
) -> Response {
    let Ok(digest) = format!("sha256:{hex}").parse::<Digest>() else {
        return (StatusCode::BAD_REQUEST, "not a digest").into_response();
    };
    let hub = &orchestrator.hub;
    if !hub.needs(&caller.node, digest) {
        // One that is not linked has not been told its assignments yet, or not again.
        let status = match hub.peer(&caller.node) {
            Some(_) => StatusCode::FORBIDDEN,
            None => StatusCode::SERVICE_UNAVAILABLE,
        };
        let message = format!("no execution of node `{}` needs artifact `{digest}`", caller.node);
        return refuse(status, Refusal { message, hint: "a node gets what its assignments name".to_owned() });
    }
    match orchestrator.artifacts.content(digest).await {
        Ok(Some((size, body))) => {
            // A body that ends early is shorter than announced, and taken for broken.
            let body = body.into_data_stream().take_until(caller.revoked.cancelled_owned());
            ([(header::CONTENT_LENGTH, size)], Body::from_stream(body)).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, "no such artifact").into_response(),
        Err(error) => {
            tracing::error!(%digest, %error, "an artifact cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
