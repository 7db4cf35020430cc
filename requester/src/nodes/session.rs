//! One connection of one node, from its hello to its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitStream};
use skrei_job::{NodeId, life::ExecutionState};
use skrei_protocol::link::{FromNode, Hello, Report, ToNode, Welcome};
use skrei_scheduler::{Event, Membership};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    greeting::{Sink, encode, greeting, say_no, scheduled, send},
    hub::Seat,
    identities::{Caller, Stranger},
    outbox::Outbox,
};
use crate::{clock, orchestrator::Orchestrator, secrets};

/// The silence that a node may keep has so many parts: after each but the last it is asked whether it lives. One that says
/// so by itself is answered, and not asked: of ten thousand idle nodes most of the work is hearing that they live.
const PARTS_OF_SILENCE: u32 = 2;

/// How long a node that is let in no more may take to hear of it.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Messages written before the socket is flushed, if so many are waiting.
const FLUSH_AFTER: usize = 64;

/// How much is kept of why a node does not do well.
const UNWELL_CHARS_MAX: usize = 500;

/// Runs the session until either side ends it.
///
/// What a link does once, or seldom, is apart in futures of its own: an idle one has no room for it in memory.
pub(super) async fn run(
    orchestrator: Arc<Orchestrator>,
    socket: WebSocket,
    caller: Caller,
    address: SocketAddr,
    shutdown: CancellationToken,
) {
    let (mut sink, mut stream) = socket.split();
    let Some(hello) = Box::pin(greeting(&mut sink, &mut stream, &caller, address)).await else { return };
    let silence_max = orchestrator.config.silence_max();
    let patience = Patience { written_in: silence_max, revoked: &caller.revoked, shutdown: &shutdown };
    let (seat, welcomed) =
        Box::pin(welcome(&orchestrator, &mut sink, hello, &caller, address, &patience)).await;
    let session = seat.session;
    let end = match welcomed {
        Ok(()) => {
            let link = Link { orchestrator: &orchestrator, caller: &caller, seat, sink, stream, silence_max };
            link.converse(&patience).await
        }
        Err(end) => end,
    };
    Box::pin(leave(&orchestrator, caller.node, session, end)).await;
}

/// Gives a node its place, and tells it so.
async fn welcome(
    orchestrator: &Orchestrator,
    sink: &mut Sink,
    hello: Hello,
    caller: &Caller,
    address: SocketAddr,
    patience: &Patience<'_>,
) -> (Seat, Result<(), End>) {
    let node = &caller.node;
    let welcome = ToNode::Welcome(Welcome {
        orchestrator: orchestrator.node().clone(),
        silence_max_millis: u64::try_from(patience.written_in.as_millis()).unwrap_or(u64::MAX),
    });
    let seat =
        orchestrator.hub.attach(node, hello.info.clone(), hello.version.clone(), address, clock::now());
    // What it still waits for, it asks for anew.
    orchestrator.waiting.gone(node);
    tracing::info!(%node, %address, "node connected");
    let membership = match orchestrator.config.manual_approval {
        true => Membership::Pending,
        false => Membership::Approved,
    };
    let event = Event::NodeConnected { node: scheduled(&hello, membership), holds: hello.holds };
    orchestrator.happened(event, None).await;

    if orchestrator.authority.is_of_former(caller.certificate) {
        orchestrator.hub.send(node, ToNode::Renew);
    }

    // Welcomed only now: whoever hears of the welcome and submits a job finds the node known.
    let welcomed = patience.with(send(sink, &welcome)).await;
    (seat, welcomed)
}

/// A link has ended. A node that has come back meanwhile has another session; it is not disconnected.
async fn leave(orchestrator: &Orchestrator, node: NodeId, session: u64, end: End) {
    if orchestrator.hub.detach(&node, session) {
        orchestrator.waiting.gone(&node);
        tracing::info!(%node, reason = end.reason(), "node disconnected");
        let event = match orchestrator.identities.is_removed(&node) {
            // It may have been removed while it was about to connect.
            true => Event::NodeForgotten { node },
            false => Event::NodeDisconnected { node },
        };
        orchestrator.happened(event, None).await;
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
            // First of all: the rest is not waited for as long as there is room.
            biased;
            written = write => written.map_err(|_| End::Broken),
            () = tokio::time::sleep(self.written_in) => Err(End::Stuck),
            () = self.revoked.cancelled() => Err(End::Revoked),
            () = self.shutdown.cancelled() => Err(End::Shutdown),
        }
    }
}

/// What is next on a link.
enum Turn {
    Heard(Option<Result<Message, axum::Error>>),
    Say(ToNode),
    /// It said nothing for a while.
    Ask,
}

impl Link<'_> {
    /// Passes messages both ways until the connection ends; says why it did.
    async fn converse(mut self, patience: &Patience<'_>) -> End {
        let end = self.pass(patience).await;
        if end == End::Revoked {
            // One that does not listen learns nothing, and keeps nobody waiting.
            let _ = tokio::time::timeout(LEAVE_TIMEOUT, Box::pin(self.take_leave())).await;
        }
        end
    }

    async fn pass(&mut self, patience: &Patience<'_>) -> End {
        let part = self.silence_max / PARTS_OF_SILENCE;
        let mut parts = 0;
        // Once for the whole link: whoever begins to wait for a shutdown anew takes turns with all other links.
        let caller = self.caller;
        let (revoked, shutdown) = (caller.revoked.cancelled(), patience.shutdown.cancelled());
        tokio::pin!(revoked, shutdown);
        let silence = tokio::time::sleep(part);
        tokio::pin!(silence);
        loop {
            let turn = tokio::select! {
                heard = self.stream.next() => {
                    parts = 0;
                    silence.as_mut().reset(Instant::now() + part);
                    Turn::Heard(heard)
                }
                message = self.seat.outbox.next() => match message {
                    Some(message) => Turn::Say(message),
                    None => return End::CutOff,
                },
                () = &mut silence => {
                    parts += 1;
                    if parts == PARTS_OF_SILENCE {
                        return End::Silent;
                    }
                    silence.as_mut().reset(Instant::now() + part);
                    Turn::Ask
                }
                () = &mut revoked => return End::Revoked,
                () = &mut shutdown => return End::Shutdown,
            };
            if let Err(end) = Box::pin(self.take(turn, patience)).await {
                return end;
            }
        }
    }

    async fn take(&mut self, turn: Turn, patience: &Patience<'_>) -> Result<(), End> {
        match turn {
            Turn::Heard(Some(Ok(Message::Text(text)))) => {
                let message = serde_json::from_str(&text).map_err(|_| End::Nonsense)?;
                let is_sign_of_life = matches!(message, FromNode::Heartbeat(_));
                self.hear(message).await;
                if is_sign_of_life {
                    // Unasked, so that it is not answered in turn.
                    patience.with(self.sink.send(Message::Pong(Bytes::new()))).await?;
                }
                Ok(())
            }
            Turn::Heard(Some(Ok(Message::Close(_))) | None) => Err(End::Closed),
            Turn::Heard(Some(Err(_))) => Err(End::Broken),
            Turn::Heard(Some(Ok(_))) => Ok(()),
            Turn::Say(message) => patience.with(write(&mut self.sink, message, &self.seat.outbox)).await,
            Turn::Ask => patience.with(self.sink.send(Message::Ping(Bytes::new()))).await,
        }
    }

    /// Sends what was decided before the node lost its identity, such as what to cancel, and why this is the end.
    async fn take_leave(&mut self) {
        while let Some(message) = self.seat.outbox.take() {
            if send(&mut self.sink, &message).await.is_err() {
                return;
            }
        }
        let now = self.orchestrator.identities.caller(Some(self.caller.certificate));
        say_no(&mut self.sink, now.err().unwrap_or(Stranger::Unknown).refusal()).await;
    }

    async fn hear(&self, message: FromNode) {
        let (orchestrator, node, session) = (self.orchestrator, &self.caller.node, self.seat.session);
        match message {
            FromNode::Heartbeat(load) => {
                let unwell = load.unwell.clone();
                let mut is_news = false;
                orchestrator.hub.heard(node, session, clock::now(), |peer| {
                    is_news = peer.load.unwell != load.unwell;
                    peer.load = load;
                });
                if is_news {
                    let unwell = unwell.map(|why| why.chars().take(UNWELL_CHARS_MAX).collect::<String>());
                    match &unwell {
                        Some(why) => {
                            tracing::warn!(%node, why, "a node does not do well, and gets nothing new")
                        }
                        None => tracing::info!(%node, "a node does well again"),
                    }
                    orchestrator.happened(Event::NodeHealth { node: node.clone(), unwell }, None).await;
                }
            }
            FromNode::Report(Report { number, execution, state }) => {
                let node = node.clone();
                let event = match state.sound() {
                    ExecutionState::Assigned | ExecutionState::Running => {
                        Event::ExecutionStarted { execution, node }
                    }
                    state => Event::ExecutionEnded { execution, node, state },
                };
                orchestrator.happened(event, Some((Arc::clone(&self.seat.outbox), number))).await;
            }
            FromNode::WantSecrets(wanted) => secrets::deliver(orchestrator, node, wanted).await,
            FromNode::Log(page) => orchestrator.hub.log_read(node, page),
            FromNode::Judged(judgement) => orchestrator.hub.judged(node, judgement),
            FromNode::Told(news) => orchestrator.told(node, news).await,
            FromNode::Leaving => {
                orchestrator.happened(Event::NodeDisconnected { node: node.clone() }, None).await;
            }
            FromNode::Hello(_) => {}
        }
    }
}

/// Writes a message and those that wait behind it, then flushes once.
async fn write(sink: &mut Sink, first: ToNode, outbox: &Outbox) -> Result<(), axum::Error> {
    let mut next = Some(first);
    for _ in 0..FLUSH_AFTER {
        let Some(message) = next else { break };
        sink.feed(encode(&message)?).await?;
        next = outbox.take();
        if next.is_none() {
            break;
        }
    }
    if let Some(message) = next {
        sink.feed(encode(&message)?).await?;
    }
    sink.flush().await
}
