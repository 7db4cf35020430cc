//! Taking in results (see [`skrei_protocol::results`]).

use std::io;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use skrei_job::{
    ExecutionId, JobId, NodeId,
    life::{Execution, ExecutionState},
};
use skrei_protocol::results::{PIECE_BYTES_MAX, Piece, Received};

use super::{identities::Caller, listener::Nodes};
use crate::{incoming, results::Error, wire};

/// How much of a piece that is refused is taken off the wire all the same: the node is to hear why.
const DROPPED_BYTES_MAX: usize = 2 * PIECE_BYTES_MAX;

pub(super) async fn take(
    State(Nodes { orchestrator, pieces, .. }): State<Nodes>,
    caller: Caller,
    Path((job, execution)): Path<(String, String)>,
    Query(piece): Query<Piece>,
    body: Body,
) -> Response {
    let (job, execution) = (JobId::new(job), ExecutionId::new(execution));
    let found = match orchestrator.store.execution(job.clone(), execution.clone()).await {
        Ok(found) => found,
        Err(error) => return refuse(&execution, &error.into()),
    };
    if let Err(refusal) = expects(found.as_ref(), &caller.node) {
        wire::drop_body(body, DROPPED_BYTES_MAX).await;
        return refusal.into_response();
    }
    // Only so many pieces are in memory at a time; the others wait on the wire.
    let Ok(_turn) = pieces.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let content = match wire::read(body, PIECE_BYTES_MAX, DROPPED_BYTES_MAX).await {
        Ok(content) => content,
        Err(_) => return (StatusCode::BAD_REQUEST, "the piece broke off, or is too large").into_response(),
    };
    let offset_after = piece.offset.saturating_add(content.len() as u64);
    match orchestrator.results.take((job, execution.clone()), &piece, content).await {
        Ok(received) => {
            let status = if received == offset_after { StatusCode::OK } else { StatusCode::CONFLICT };
            (status, Json(Received { received })).into_response()
        }
        Err(error) => refuse(&execution, &error),
    }
}

/// A node hands over results of what it was given, and as long as that is not over. What was given up as lost is not: its
/// node may be back before the event loop has heard of it.
fn expects(execution: Option<&Execution>, caller: &NodeId) -> Result<(), (StatusCode, &'static str)> {
    match execution {
        Some(execution) if execution.node != *caller => {
            Err((StatusCode::FORBIDDEN, "the execution is another node's"))
        }
        Some(execution) => match execution.state {
            ExecutionState::Assigned | ExecutionState::Running | ExecutionState::Lost => Ok(()),
            _ => Err((StatusCode::GONE, "the execution is over")),
        },
        None => Err((StatusCode::NOT_FOUND, "there is no such execution")),
    }
}

fn refuse(execution: &ExecutionId, error: &Error) -> Response {
    let status = match error {
        Error::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::Full { .. } => StatusCode::INSUFFICIENT_STORAGE,
        Error::Incoming(error) => status_of(error),
        Error::NoRandomness | Error::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    if status.is_server_error() {
        tracing::error!(%execution, %error, "results cannot be taken in");
    }
    (status, error.to_string()).into_response()
}

/// Whether a disk takes no more, for whichever reason.
fn is_full(cause: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(cause.kind(), K::StorageFull | K::QuotaExceeded | K::FileTooLarge)
}

fn status_of(error: &incoming::Error) -> StatusCode {
    use incoming::Error as E;
    match error {
        E::Io(cause) if is_full(cause) => StatusCode::INSUFFICIENT_STORAGE,
        E::Busy | E::Crowded => StatusCode::TOO_MANY_REQUESTS,
        E::WrongSize => StatusCode::BAD_REQUEST,
        E::OtherContent { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        E::Io(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_need_not_try_again_where_no_more_is_taken() {
        use io::ErrorKind as K;
        let status = |kind: K| status_of(&incoming::Error::Io(kind.into()));
        for full in [K::StorageFull, K::QuotaExceeded, K::FileTooLarge] {
            assert_eq!(status(full), StatusCode::INSUFFICIENT_STORAGE, "{full}");
        }
        assert_eq!(status(K::Other), StatusCode::SERVICE_UNAVAILABLE);
    }
}
