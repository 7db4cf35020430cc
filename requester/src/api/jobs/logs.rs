//! `GET /orchestrator/jobs/{id}/logs`: a websocket (reference 4).
//!
//! It is opened unconditionally; what is wrong is said in a frame, because clients show nothing else.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{
        Request, State,
        ws::{
            CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use skrei_access::Caller;
use skrei_job::{
    Timestamp,
    life::{Execution, ExecutionState},
};
use skrei_protocol::{
    api::{
        error::{Code, ErrorBody},
        log::{LogFrame, LogLine, STDERR, STDOUT},
        time,
    },
    link::{LogPiece, Stream},
};
use utoipa::IntoParams;

use crate::{
    api::{Api, error::ApiError, lookup, query::Query, segment::Segment},
    nodes::ReadError,
};

/// How long a reader may take for one frame before it is given up.
const READER_PATIENCE: Duration = Duration::from_secs(60);

/// What a reader is told whose key was revoked, or whose time is over.
const OVER: &str = "the log ends here: you are let in no longer";

/// Which log, and how much of it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct ReadLogs {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Of which execution, by its id or the beginning of it. Empty: of the newest that has a log.
    execution_id: String,
    /// Which version; 0: of any.
    #[param(maximum = 4_294_967_295_i64)]
    job_version: u32,
    /// From now on, without what is there already.
    tail: bool,
    /// Also what comes, until the execution has ended.
    follow: bool,
    /// Lines that were begun at this time or later, by the node's clock: RFC 3339. Empty: all. Not in Bacalhau.
    since: String,
    /// Say in each frame when its line was begun. Not in Bacalhau.
    timestamps: bool,
}

/// What is read for somebody.
struct Reading {
    execution: Execution,
    follow: bool,
    tail: bool,
    since: Option<Timestamp>,
    timestamps: bool,
}

/// The log of an execution, over a websocket: each text message is a `LogFrame`.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/logs", tag = "Jobs", operation_id = "readJobLogs",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), ReadLogs),
    responses(
        (status = 101, description = "What is wrong with the request is said in a frame"),
        (status = 426, description = "Not the handshake of a websocket", body = ErrorBody)))]
pub(in crate::api) async fn logs(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Segment(id): Segment,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(move |socket| stream(api, caller, id, query, socket)),
        Err(_) => no_websocket(),
    }
}

fn no_websocket() -> Response {
    let message = "a log is read over a websocket, and this is not the handshake of one";
    let body = ErrorBody::new(Code::UpgradeRequired, message);
    let mut response = ApiError::from(body.hint("`skrei job logs` reads it")).into_response();
    response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    response
}

/// The reader went away.
struct Gone;

async fn stream(api: Api, caller: Caller, id: String, query: String, mut socket: WebSocket) {
    let Ok(_place) = Arc::clone(&api.followers.logs).try_acquire_owned() else {
        let frame = LogFrame::error("as many logs are being read as may; try again when others have gone");
        if send(&mut socket, &frame).await.is_ok() {
            close(&mut socket).await;
        }
        return;
    };
    let ended = match choose(&api, &id, &query).await {
        Ok(reading) => tokio::select! {
            ended = reading.copy(&api, &mut socket) => ended,
            () = api.shutdown.cancelled() => return,
            () = api.door.over(&caller) => send(&mut socket, &LogFrame::error(OVER)).await,
        },
        Err(error) => send(&mut socket, &LogFrame::error(error.message())).await,
    };
    if ended.is_ok() {
        close(&mut socket).await;
    }
}

async fn close(socket: &mut WebSocket) {
    let close = CloseFrame { code: close_code::NORMAL, reason: "".into() };
    // The reader may be gone by now; then there is nobody to tell.
    let _ = socket.send(Message::Close(Some(close))).await;
}

/// The execution whose log is meant: the one named, else the newest.
async fn choose(api: &Api, id: &str, query: &str) -> Result<Reading, ApiError> {
    let Query(asked) = Query::parse(query)?;
    let ReadLogs { namespace, execution_id, job_version, tail, follow, since, timestamps } = asked;
    let since = match since.as_str() {
        "" => None,
        text => Some(time::parse(text).ok_or_else(|| {
            ApiError::bad_request(format!("`since` is not a time like `2026-01-02T15:04:05Z`: `{text}`"))
        })?),
    };
    let job = lookup::job(api, &namespace, id).await?;
    let (store, version) = (&api.orchestrator.store, u64::from(job_version));
    let named = execution_id.as_str();
    let execution = match named {
        "" => {
            let executions = store.executions(job.id.clone(), version).await?;
            executions.into_iter().max_by_key(|execution| (worth(&execution.state), execution.modified))
        }
        named => {
            let mut executions = store.executions_called(job.id.clone(), version, named.to_owned()).await?;
            match executions.len() {
                0 | 1 => executions.pop(),
                _ => {
                    return Err(ApiError::bad_request(format!(
                        "`{named}` stands for more than one execution"
                    )));
                }
            }
        }
    };
    let missing = || match named {
        "" => ApiError::bad_request(format!("job `{id}` has no execution yet, and so no log")),
        named => ApiError::not_found("execution", named, "`skrei job executions` shows them"),
    };
    Ok(Reading { execution: execution.ok_or_else(missing)?, follow, tail, since, timestamps })
}

/// Whether an execution has a log to show: better one that runs or ran well than one that failed, and better that than
/// one that never ran (reference 4.5).
fn worth(state: &ExecutionState) -> u8 {
    match state {
        ExecutionState::Assigned | ExecutionState::Running | ExecutionState::Completed(_) => 2,
        ExecutionState::Failed(_) | ExecutionState::Lost | ExecutionState::Cancelled { .. } => 1,
        ExecutionState::Refused(_) => 0,
    }
}

impl Reading {
    /// Copies the log from the node, page by page: the reader's pace is the pace of asking.
    async fn copy(&self, api: &Api, socket: &mut WebSocket) -> Result<(), Gone> {
        let Execution { node, id, .. } = &self.execution;
        let (mut from, mut since, mut skip) = (0, self.since, self.tail);
        loop {
            let read = api.orchestrator.hub.read_log(node, id, from, self.follow && !skip, since);
            let chunk = tokio::select! {
                chunk = read => chunk,
                () = reader_gone(socket) => return Err(Gone),
            };
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return self.without_node(from == 0 && !self.tail, &error, socket).await,
            };
            let caught_up = chunk.pieces.is_empty();
            if !skip {
                for piece in &chunk.pieces {
                    if self.needs_time() && piece.at.is_none() {
                        return send(socket, &LogFrame::error(timeless(&self.execution))).await;
                    }
                    self.send_piece(socket, piece).await?;
                }
            }
            skip &= !caught_up;
            // The node began where the time says; from there on all there is counts.
            (from, since) = (chunk.next, None);
            if chunk.end || (caught_up && !self.follow) {
                return Ok(());
            }
        }
    }

    /// The node cannot be asked: what came with the outcome is better than nothing, and it is said that it is not all.
    async fn without_node(
        &self,
        from_start: bool,
        error: &ReadError,
        socket: &mut WebSocket,
    ) -> Result<(), Gone> {
        // When which of it was written only the node knows.
        let has_to_do = from_start && !self.needs_time();
        let Some(output) = self.execution.state.output().filter(|_| has_to_do) else {
            return send(socket, &LogFrame::error(format!("the log cannot be read: {error}"))).await;
        };
        for (stream, text) in [(Stream::Out, &output.stdout), (Stream::Err, &output.stderr)] {
            if !text.is_empty() {
                self.send_piece(socket, &LogPiece { stream, at: None, text: text.clone() }).await?;
            }
        }
        if output.stdout_truncated || output.stderr_truncated {
            let message = format!("the rest of the log cannot be read: {error}");
            return send(socket, &LogFrame::error(message)).await;
        }
        Ok(())
    }

    fn needs_time(&self) -> bool {
        self.timestamps || self.since.is_some()
    }

    /// One frame a line, with its line feed: every known client shows that best.
    async fn send_piece(&self, socket: &mut WebSocket, piece: &LogPiece) -> Result<(), Gone> {
        let kind = match piece.stream {
            Stream::Out => STDOUT,
            Stream::Err => STDERR,
        };
        let time = piece.at.filter(|_| self.timestamps).map(time::rfc3339);
        for line in piece.text.split_inclusive('\n') {
            let value = LogLine { kind, line: line.to_owned(), time: time.clone() };
            send(socket, &LogFrame { value, error: String::new() }).await?;
        }
        Ok(())
    }
}

/// What is said of a log without times to one who needs them: all of it would be wrong, and none of it, too.
fn timeless(execution: &Execution) -> String {
    format!(
        "node `{}` does not know when its output was written; read it without `since` and `timestamps`, or update the \
         node",
        execution.node
    )
}

async fn send(socket: &mut WebSocket, frame: &LogFrame) -> Result<(), Gone> {
    let text = serde_json::to_string(frame).map_err(|_| Gone)?;
    let sent = tokio::time::timeout(READER_PATIENCE, socket.send(Message::Text(text.into()))).await;
    sent.map_err(|_| Gone)?.map_err(|_| Gone)
}

/// Waits until the reader closes; what it says otherwise is ignored.
async fn reader_gone(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}
