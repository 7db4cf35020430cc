//! `GET /orchestrator/jobs/{id}/logs`: a websocket (reference 4).
//!
//! It is opened unconditionally; what is wrong is said in a frame, because clients show nothing else.

use axum::{
    extract::{
        Path, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use skrei_job::life::Execution;
use skrei_protocol::{
    api::log::{LogFrame, LogLine, STDERR, STDOUT},
    link::{LogPiece, Stream},
};

use crate::{
    api::{Api, error::ApiError, lookup, query::Query},
    nodes::ReadError,
};

pub(in crate::api) async fn logs(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| stream(api, id, query, socket))
}

/// The reader went away.
struct Gone;

async fn stream(api: Api, id: String, query: Query, mut socket: WebSocket) {
    let ended = match choose(&api, &id, &query).await {
        Ok((execution, follow, tail)) => tokio::select! {
            ended = copy(&api, &execution, follow, tail, &mut socket) => ended,
            () = api.shutdown.cancelled() => return,
        },
        Err(error) => send(&mut socket, &LogFrame::error(error.message())).await,
    };
    if ended.is_ok() {
        let close = CloseFrame { code: close_code::NORMAL, reason: "".into() };
        // The reader may be gone by now; then there is nobody to tell.
        let _ = socket.send(Message::Close(Some(close))).await;
    }
}

/// The execution whose log is meant: the one named, else the newest.
async fn choose(api: &Api, id: &str, query: &Query) -> Result<(Execution, bool, bool), ApiError> {
    let (follow, tail) = (query.flag("follow")?, query.flag("tail")?);
    let job = lookup::job(api, query.text("namespace"), id).await?;
    let version = query.number("job_version")?;
    let mut executions = api.orchestrator.store.executions(job.id.clone(), version).await?;
    let named = query.text("execution_id");
    let execution = match named {
        "" => executions.into_iter().max_by_key(|execution| {
            (execution.state.output().is_some() || !execution.state.is_terminal(), execution.modified)
        }),
        named => {
            executions.retain(|execution| execution.id.as_str().starts_with(named));
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
    Ok((execution.ok_or_else(missing)?, follow, tail))
}

/// Copies the log from the node, page by page: the reader's pace is the pace of asking.
async fn copy(
    api: &Api,
    execution: &Execution,
    follow: bool,
    tail: bool,
    socket: &mut WebSocket,
) -> Result<(), Gone> {
    let mut from = 0;
    let mut skip = tail;
    loop {
        let read = api.orchestrator.hub.read_log(&execution.node, &execution.id, from, follow && !skip);
        let chunk = tokio::select! {
            chunk = read => chunk,
            () = reader_gone(socket) => return Err(Gone),
        };
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => return without_node(execution, from == 0 && !tail, &error, socket).await,
        };
        let caught_up = chunk.pieces.is_empty();
        if !skip {
            for piece in &chunk.pieces {
                send_piece(socket, piece).await?;
            }
        }
        skip &= !caught_up;
        from = chunk.next;
        if chunk.end || (caught_up && !follow) {
            return Ok(());
        }
    }
}

/// The node cannot be asked: what came with the outcome is better than nothing, and it is said that it is not all.
async fn without_node(
    execution: &Execution,
    from_start: bool,
    error: &ReadError,
    socket: &mut WebSocket,
) -> Result<(), Gone> {
    let Some(output) = execution.state.output().filter(|_| from_start) else {
        return send(socket, &LogFrame::error(format!("the log cannot be read: {error}"))).await;
    };
    for (stream, text) in [(Stream::Out, &output.stdout), (Stream::Err, &output.stderr)] {
        if !text.is_empty() {
            send_piece(socket, &LogPiece { stream, text: text.clone() }).await?;
        }
    }
    if output.stdout_truncated || output.stderr_truncated {
        let message = format!("the rest of the log cannot be read: {error}");
        return send(socket, &LogFrame::error(message)).await;
    }
    Ok(())
}

/// One frame a line, with its line feed: every known client shows that best.
async fn send_piece(socket: &mut WebSocket, piece: &LogPiece) -> Result<(), Gone> {
    let kind = match piece.stream {
        Stream::Out => STDOUT,
        Stream::Err => STDERR,
    };
    for line in piece.text.split_inclusive('\n') {
        let frame = LogFrame { value: LogLine { kind, line: line.to_owned() }, error: String::new() };
        send(socket, &frame).await?;
    }
    Ok(())
}

async fn send(socket: &mut WebSocket, frame: &LogFrame) -> Result<(), Gone> {
    let text = serde_json::to_string(frame).map_err(|_| Gone)?;
    socket.send(Message::Text(text.into())).await.map_err(|_| Gone)
}

/// Waits until the reader closes; what it says otherwise is ignored.
async fn reader_gone(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}
