//! One connection of one node, from its hello to its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use skrei_job::{NodeId, life::ExecutionState};
use skrei_protocol::link::{FromNode, Hello, PROTOCOL, Report, ToNode, Welcome};
use skrei_scheduler::{Event, Membership, NodeInfo};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::hub::Seat;
use crate::{clock, orchestrator::Orchestrator};

/// How long a new connection may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages written before the socket is flushed, if so many are waiting.
const FLUSH_AFTER: usize = 64;

/// Longest node id: ids become file names and labels.
const NODE_ID_MAX: usize = 128;

type Sink = SplitSink<WebSocket, Message>;

/// Runs the session until either side ends it.
pub(super) async fn run(
    orchestrator: Arc<Orchestrator>,
    socket: WebSocket,
    address: SocketAddr,
    shutdown: CancellationToken,
) {
    let (mut sink, mut stream) = socket.split();
    let hello = tokio::time::timeout(HELLO_TIMEOUT, stream.next()).await;
    let Ok(Some(Ok(Message::Text(text)))) = hello else {
        tracing::debug!(%address, "a connection to the node listener said nothing");
        return;
    };
    let hello = match serde_json::from_str(&text) {
        Ok(FromNode::Hello(hello)) => hello,
        _ => {
            tracing::warn!(%address, "a connection to the node listener does not speak the node link");
            return;
        }
    };
    if let Err(Rejection { message, hint }) = admit(&orchestrator, &hello) {
        tracing::warn!(node = %hello.node, %address, reason = %message, "a node was turned away");
        let _ = send(&mut sink, &ToNode::Rejected { message, hint: hint.to_owned() }).await;
        let _ = sink.close().await;
        return;
    }
    let silence_max = orchestrator.config.silence_max();
    let welcome = ToNode::Welcome(Welcome {
        orchestrator: orchestrator.node().clone(),
        silence_max_millis: u64::try_from(silence_max.as_millis()).unwrap_or(u64::MAX),
    });
    let node = hello.node.clone();
    let seat =
        orchestrator.hub.attach(&node, hello.info.clone(), hello.version.clone(), address, clock::now());
    let session = seat.session;
    tracing::info!(%node, %address, "node connected");
    let event = Event::NodeConnected { node: scheduled(&hello), holds: hello.holds };
    orchestrator.happened(event, None).await;

    // Welcomed only now: whoever hears of the welcome and submits a job finds the node known.
    let reason = match send(&mut sink, &welcome).await {
        Ok(()) => converse(&orchestrator, &node, seat, sink, stream, silence_max, shutdown).await,
        Err(_) => "the connection broke",
    };

    // A node that has come back meanwhile has another session; it is not disconnected.
    if orchestrator.hub.detach(&node, session) {
        tracing::info!(%node, reason, "node disconnected");
        orchestrator.happened(Event::NodeDisconnected { node }, None).await;
    }
}

struct Rejection {
    message: String,
    hint: &'static str,
}

fn admit(orchestrator: &Orchestrator, hello: &Hello) -> Result<(), Rejection> {
    if hello.protocol != PROTOCOL {
        let message = format!(
            "the node speaks `{}` (version {}), the orchestrator `{PROTOCOL}`",
            hello.protocol, hello.version
        );
        return Err(Rejection { message, hint: "run the same version of skrei on both" });
    }
    if !token_matches(orchestrator.config.token.as_deref(), hello.token.as_deref()) {
        let message = "the node's join token is missing or wrong".to_owned();
        let hint = "set Compute.Auth.Token on the node to the orchestrator's Orchestrator.Auth.Token";
        return Err(Rejection { message, hint });
    }
    let id = hello.node.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if id.is_empty() || id.len() > NODE_ID_MAX || !id.chars().all(plain) {
        let message = format!("`{}` is not a node name", id.escape_debug());
        let hint = "use letters, digits, `-`, `_` and `.`, at most 128 of them";
        return Err(Rejection { message, hint });
    }
    Ok(())
}

/// Compares without telling by its time where two tokens differ.
pub(super) fn token_matches(expected: Option<&str>, shown: Option<&str>) -> bool {
    let Some(expected) = expected else { return true };
    let Some(shown) = shown else { return false };
    let hash = |token: &str| skrei_job::Digest::of(token.as_bytes());
    hash(expected) == hash(shown)
}

fn scheduled(hello: &Hello) -> NodeInfo {
    NodeInfo {
        id: hello.node.clone(),
        labels: hello.info.labels.clone(),
        engines: hello.info.engines.iter().map(|engine| engine.to_ascii_lowercase()).collect(),
        capacity: hello.info.capacity,
        membership: Membership::Approved,
    }
}

/// Passes messages both ways until the connection ends; says why it did.
async fn converse(
    orchestrator: &Orchestrator,
    node: &NodeId,
    mut seat: Seat,
    mut sink: Sink,
    mut stream: futures_util::stream::SplitStream<WebSocket>,
    silence_max: Duration,
    shutdown: CancellationToken,
) -> &'static str {
    let (acknowledge, mut acknowledged) = watch::channel(0_u64);
    let mut ping = tokio::time::interval(silence_max / 3);
    let mut deadline = Instant::now() + silence_max;
    loop {
        let written = tokio::select! {
            incoming = stream.next() => {
                deadline = Instant::now() + silence_max;
                match incoming {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(message) => {
                            hear(orchestrator, node, seat.session, message, &acknowledge).await;
                            Ok(())
                        }
                        Err(_) => return "it sent what is not a message of the node link",
                    },
                    Some(Ok(Message::Close(_))) | None => return "it closed the connection",
                    Some(Ok(_)) => Ok(()),
                    Some(Err(_)) => return "the connection broke",
                }
            }
            outgoing = seat.outbox.recv() => match outgoing {
                Some(first) => write(&mut sink, first, &mut seat).await,
                None => return "it was cut off, or has another connection",
            },
            changed = acknowledged.changed() => {
                // We hold the sender: it cannot be closed.
                let _ = changed;
                let number = *acknowledged.borrow_and_update();
                orchestrator.hub.heard(node, seat.session, clock::now(), |peer| peer.acknowledged = number);
                send(&mut sink, &ToNode::Acknowledge { number }).await
            }
            _ = ping.tick() => sink.send(Message::Ping(bytes::Bytes::new())).await,
            () = tokio::time::sleep_until(deadline) => return "it was silent for too long",
            () = shutdown.cancelled() => return "the orchestrator is shutting down",
        };
        if written.is_err() {
            return "the connection broke";
        }
    }
}

async fn hear(
    orchestrator: &Orchestrator,
    node: &NodeId,
    session: u64,
    message: FromNode,
    acknowledge: &watch::Sender<u64>,
) {
    match message {
        FromNode::Heartbeat(load) => {
            orchestrator.hub.heard(node, session, clock::now(), |peer| peer.load = load);
        }
        FromNode::Report(Report { number, execution, state }) => {
            let node = node.clone();
            let event = match state {
                ExecutionState::Assigned | ExecutionState::Running => {
                    Event::ExecutionStarted { execution, node }
                }
                state => Event::ExecutionEnded { execution, node, state },
            };
            orchestrator.happened(event, Some((acknowledge.clone(), number))).await;
        }
        FromNode::Log(page) => orchestrator.hub.log_read(node, page),
        FromNode::Leaving => {
            orchestrator.happened(Event::NodeDisconnected { node: node.clone() }, None).await;
        }
        FromNode::Hello(_) => {}
    }
}

/// Writes a message and those that wait behind it, then flushes once.
async fn write(sink: &mut Sink, first: ToNode, seat: &mut Seat) -> Result<(), axum::Error> {
    let mut next = Some(first);
    for _ in 0..FLUSH_AFTER {
        let Some(message) = next else { break };
        sink.feed(encode(&message)?).await?;
        next = seat.outbox.try_recv().ok();
        if next.is_none() {
            break;
        }
    }
    if let Some(message) = next {
        sink.feed(encode(&message)?).await?;
    }
    sink.flush().await
}

async fn send(sink: &mut Sink, message: &ToNode) -> Result<(), axum::Error> {
    sink.send(encode(message)?).await
}

fn encode(message: &ToNode) -> Result<Message, axum::Error> {
    serde_json::to_string(message).map(|text| Message::Text(text.into())).map_err(axum::Error::new)
}
