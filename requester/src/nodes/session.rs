//! One connection of one node, from its hello to its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use skrei_job::{NodeId, life::ExecutionState};
use skrei_protocol::{
    join::Refusal,
    link::{FromNode, Hello, PROTOCOL, Report, ToNode, Welcome},
    version::{VERSION, may_link},
};
use skrei_scheduler::{Event, Membership, NodeInfo};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    hub::Seat,
    identities::{Caller, Stranger},
};
use crate::{clock, orchestrator::Orchestrator, secrets};

/// How long a new connection may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a node is asked whether it lives within the silence that it may keep. One answer may be late: of ten thousand
/// idle nodes most of the work is asking them.
const PINGS_IN_SILENCE: u32 = 2;

/// How long a node that is let in no more may take to hear of it.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Messages written before the socket is flushed, if so many are waiting.
const FLUSH_AFTER: usize = 64;

/// Longest node id: ids become file names and labels.
const NODE_ID_MAX: usize = 128;

type Sink = SplitSink<WebSocket, Message>;

/// Runs the session until either side ends it.
pub(super) async fn run(
    orchestrator: Arc<Orchestrator>,
    socket: WebSocket,
    caller: Caller,
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
    if let Err(refusal) = admit(&caller, &hello) {
        tracing::warn!(node = %caller.node, %address, reason = %refusal.message, "a node was turned away");
        say_no(&mut sink, refusal).await;
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
    // What it still waits for, it asks for anew.
    orchestrator.waiting.gone(&node);
    tracing::info!(%node, %address, "node connected");
    let membership = match orchestrator.config.manual_approval {
        true => Membership::Pending,
        false => Membership::Approved,
    };
    let event = Event::NodeConnected { node: scheduled(&hello, membership), holds: hello.holds };
    orchestrator.happened(event, None).await;

    if orchestrator.authority.is_of_former(caller.certificate) {
        orchestrator.hub.send(&node, ToNode::Renew);
    }

    // Welcomed only now: whoever hears of the welcome and submits a job finds the node known.
    let patience = Patience { written_in: silence_max, revoked: &caller.revoked, shutdown: &shutdown };
    let reason = match patience.with(send(&mut sink, &welcome)).await {
        Ok(()) => {
            let link = Link { orchestrator: &orchestrator, caller: &caller, seat, sink, stream, silence_max };
            link.converse(&patience).await.reason()
        }
        Err(end) => end.reason(),
    };

    // A node that has come back meanwhile has another session; it is not disconnected.
    if orchestrator.hub.detach(&node, session) {
        orchestrator.waiting.gone(&node);
        tracing::info!(%node, reason, "node disconnected");
        let event = match orchestrator.identities.is_removed(&node) {
            // It may have been removed while it was about to connect.
            true => Event::NodeForgotten { node },
            false => Event::NodeDisconnected { node },
        };
        orchestrator.happened(event, None).await;
    }
}

/// Says in the words of the link why there is none.
pub(super) async fn turn_away(socket: WebSocket, refusal: Refusal) {
    let (mut sink, _stream) = socket.split();
    say_no(&mut sink, refusal).await;
}

async fn say_no(sink: &mut Sink, Refusal { message, hint }: Refusal) {
    let rejected = async {
        // One who does not listen learns nothing, and loses nothing by it.
        let _ = send(sink, &ToNode::Rejected { message, hint }).await;
        let _ = sink.close().await;
    };
    let _ = tokio::time::timeout(HELLO_TIMEOUT, rejected).await;
}

fn admit(caller: &Caller, hello: &Hello) -> Result<(), Refusal> {
    if hello.protocol != PROTOCOL {
        let message = format!(
            "the node speaks `{}` (version {}), the orchestrator `{PROTOCOL}`",
            hello.protocol, hello.version
        );
        return Err(Refusal { message, hint: "run the same version of skrei on both".to_owned() });
    }
    if !may_link(&hello.version, VERSION) {
        let message = format!(
            "the node runs version {} of skrei, the orchestrator {VERSION}: more than one minor version apart",
            hello.version.chars().take(50).collect::<String>().escape_debug()
        );
        let hint = "upgrade in steps of one minor version, the orchestrator first".to_owned();
        return Err(Refusal { message, hint });
    }
    if hello.node != caller.node {
        let message = format!(
            "the node calls itself `{}`, and its certificate `{}`",
            hello.node.as_str().escape_debug(),
            caller.node
        );
        let hint = "a node keeps its name: undo the change, or remove `compute/identity.pem` below its data directory \
            and let it join anew";
        return Err(Refusal { message, hint: hint.to_owned() });
    }
    Ok(())
}

/// Whether a text may be a node's id.
pub(crate) fn is_name(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !id.is_empty() && id.len() <= NODE_ID_MAX && id.chars().all(plain)
}

/// As the scheduler sees it; the membership counts for a node that is met for the first time.
fn scheduled(hello: &Hello, membership: Membership) -> NodeInfo {
    NodeInfo {
        id: hello.node.clone(),
        labels: hello.info.labels.clone(),
        engines: hello.info.engines.iter().map(|engine| engine.to_ascii_lowercase()).collect(),
        capacity: hello.info.capacity,
        membership,
    }
}

/// A link that is up.
struct Link<'a> {
    orchestrator: &'a Orchestrator,
    caller: &'a Caller,
    seat: Seat,
    sink: Sink,
    stream: SplitStream<WebSocket>,
    silence_max: Duration,
}

/// Why a link ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Nonsense,
    Closed,
    Broken,
    CutOff,
    Silent,
    /// It does not read what it is sent.
    Stuck,
    Revoked,
    Shutdown,
}

impl End {
    /// For the log.
    fn reason(self) -> &'static str {
        match self {
            Self::Nonsense => "it sent what is not a message of the node link",
            Self::Closed => "it closed the connection",
            Self::Broken => "the connection broke",
            Self::CutOff => "it was cut off, or has another connection",
            Self::Silent => "it was silent for too long",
            Self::Stuck => "it does not take what it is sent",
            Self::Revoked => "its certificate was revoked",
            Self::Shutdown => "the orchestrator is shutting down",
        }
    }
}

/// How long a node may take for what it is sent, and what is not waited for meanwhile.
struct Patience<'a> {
    written_in: Duration,
    revoked: &'a CancellationToken,
    shutdown: &'a CancellationToken,
}

impl Patience<'_> {
    /// Writes, unless the link is to end before that is done. A message that was begun stays in the sink whole.
    async fn with(&self, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), End> {
        tokio::select! {
            written = write => written.map_err(|_| End::Broken),
            () = tokio::time::sleep(self.written_in) => Err(End::Stuck),
            () = self.revoked.cancelled() => Err(End::Revoked),
            () = self.shutdown.cancelled() => Err(End::Shutdown),
        }
    }
}

impl Link<'_> {
    /// Passes messages both ways until the connection ends; says why it did.
    async fn converse(mut self, patience: &Patience<'_>) -> End {
        let end = self.pass(patience).await;
        if end == End::Revoked {
            // One that does not listen learns nothing, and keeps nobody waiting.
            let _ = tokio::time::timeout(LEAVE_TIMEOUT, self.take_leave()).await;
        }
        end
    }

    async fn pass(&mut self, patience: &Patience<'_>) -> End {
        let (orchestrator, node) = (self.orchestrator, &self.caller.node);
        let (acknowledge, mut acknowledged) = watch::channel(0_u64);
        let mut ping = tokio::time::interval(self.silence_max / PINGS_IN_SILENCE);
        let mut deadline = Instant::now() + self.silence_max;
        loop {
            let written = tokio::select! {
                incoming = self.stream.next() => {
                    deadline = Instant::now() + self.silence_max;
                    match incoming {
                        Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                            Ok(message) => {
                                hear(orchestrator, node, self.seat.session, message, &acknowledge).await;
                                Ok(())
                            }
                            Err(_) => return End::Nonsense,
                        },
                        Some(Ok(Message::Close(_))) | None => return End::Closed,
                        Some(Ok(_)) => Ok(()),
                        Some(Err(_)) => return End::Broken,
                    }
                }
                outgoing = self.seat.outbox.recv() => match outgoing {
                    Some(first) => patience.with(write(&mut self.sink, first, &mut self.seat)).await,
                    None => return End::CutOff,
                },
                changed = acknowledged.changed() => {
                    // We hold the sender: it cannot be closed.
                    let _ = changed;
                    let number = *acknowledged.borrow_and_update();
                    orchestrator.hub.heard(node, self.seat.session, clock::now(), |peer| peer.acknowledged = number);
                    patience.with(send(&mut self.sink, &ToNode::Acknowledge { number })).await
                }
                _ = ping.tick() => patience.with(self.sink.send(Message::Ping(bytes::Bytes::new()))).await,
                () = tokio::time::sleep_until(deadline) => return End::Silent,
                () = self.caller.revoked.cancelled() => return End::Revoked,
                () = patience.shutdown.cancelled() => return End::Shutdown,
            };
            if let Err(end) = written {
                return end;
            }
        }
    }

    /// Sends what was decided before the node lost its identity, such as what to cancel, and why this is the end.
    async fn take_leave(&mut self) {
        while let Ok(message) = self.seat.outbox.try_recv() {
            if send(&mut self.sink, &message).await.is_err() {
                return;
            }
        }
        let now = self.orchestrator.identities.caller(Some(self.caller.certificate));
        say_no(&mut self.sink, now.err().unwrap_or(Stranger::Unknown).refusal()).await;
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
            let event = match state.sound() {
                ExecutionState::Assigned | ExecutionState::Running => {
                    Event::ExecutionStarted { execution, node }
                }
                state => Event::ExecutionEnded { execution, node, state },
            };
            orchestrator.happened(event, Some((acknowledge.clone(), number))).await;
        }
        FromNode::WantSecrets(wanted) => {
            // Apart: every idle link would have room for it in memory.
            Box::pin(secrets::deliver(orchestrator, node, wanted)).await;
        }
        FromNode::Log(page) => orchestrator.hub.log_read(node, page),
        FromNode::Told(news) => orchestrator.told(node, news).await,
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
