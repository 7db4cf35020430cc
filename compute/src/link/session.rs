//! One connection as sockets and tasks: carries events to the dialogue, and out what it decides.

use std::{sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _, SinkExt as _, StreamExt as _,
    future::{BoxFuture, OptionFuture},
    stream::{SplitSink, SplitStream},
};
use skrei_protocol::link::{
    FromNode, Hello, Judge, Judgement, LINK_PATH, LogPage, MESSAGE_MAX_BYTES, Report, ToNode,
};
use skrei_tls::ORCHESTRATOR_NAME;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Address, Link,
    dialogue::{Action, Closing, Dialogue, Event, REPORTS_AT_ONCE_MAX},
};
use crate::{identity::causes, judge, supervisor::Order};

type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// How long to try to reach an orchestrator.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Buffers of a connection, in bytes: most messages are small, and there is one connection per node.
const BUFFER_BYTES: usize = 4 << 10;

/// Messages between the dialogue and the socket.
const SENDING_MAX: usize = 16;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it does not want this node: {message}")]
    Rejected { message: String, hint: String },
    #[error("it was silent for too long")]
    Silence,
    #[error("it is no orchestrator of this version")]
    NoWelcome,
    #[error("it closed the connection")]
    Closed,
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("it says what this version does not understand: {0}")]
    Garbled(serde_json::Error),
    /// The node's own journal failed; there is no use in another connection.
    #[error("the journal cannot be read: {0}")]
    Journal(skrei_ledger::Error),
}

pub(super) async fn connect(address: &Address, connector: &TlsConnector) -> Result<Socket, End> {
    let unreachable = |cause: &dyn std::fmt::Display| End::Unreachable(cause.to_string());
    let dial = async {
        let stream = TcpStream::connect(address.to_string()).await.map_err(|cause| unreachable(&cause))?;
        // Reports are small and somebody waits for each.
        stream.set_nodelay(true).map_err(|cause| unreachable(&cause))?;
        // Whatever address is dialled: there is one name, and one authority.
        let name = ServerName::try_from(ORCHESTRATOR_NAME).map_err(|cause| unreachable(&cause))?;
        let stream = connector.connect(name, stream).await.map_err(|cause| unreachable(&causes(&cause)))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_write_buffer_size(2 * MESSAGE_MAX_BYTES)
            .max_message_size(Some(MESSAGE_MAX_BYTES))
            .max_frame_size(Some(MESSAGE_MAX_BYTES));
        let url = format!("ws://{address}{LINK_PATH}");
        let (socket, _) = client_async_with_config(url, stream, Some(config))
            .await
            .map_err(|cause| unreachable(&causes(&cause)))?;
        Ok(socket)
    };
    timeout(CONNECT_MAX, dial).await.unwrap_or_else(|_| Err(unreachable(&"it does not answer")))
}

/// Talks until the connection ends. Gives whether the orchestrator had welcomed the node, and why it ended.
pub(super) async fn talk(link: &mut Link, address: &Address, socket: Socket) -> (bool, End) {
    let Some(hello) = greeting(link).await else { return (false, gone()) };
    let (sink, stream) = socket.split();
    let (sending, queue) = mpsc::channel(SENDING_MAX);
    let writer = AbortOnDropHandle::new(tokio::spawn(write(sink, queue)));
    let dialogue = Dialogue::new(hello, link.load.borrow().clone(), link.heartbeat, Instant::now());
    let mut session = Session {
        link,
        address,
        dialogue,
        stream,
        sending,
        writer,
        fetching: None.into(),
        answers: JoinSet::new(),
        told: None,
        left: false,
        welcomed: false,
    };
    let end = session.run().await;
    (session.welcomed, end)
}

/// The greeting, with what the node holds now.
async fn greeting(link: &Link) -> Option<Hello> {
    let (answer, holds) = oneshot::channel();
    link.orders.send(Order::Holds { answer }).await.ok()?;
    Some(Hello { holds: holds.await.ok()?, ..link.hello.clone() })
}

fn gone() -> End {
    End::Broken("the node is going away".to_owned())
}

struct Session<'a> {
    link: &'a mut Link,
    address: &'a Address,
    dialogue: Dialogue,
    stream: SplitStream<Socket>,
    sending: mpsc::Sender<FromNode>,
    writer: AbortOnDropHandle<End>,
    fetching: OptionFuture<BoxFuture<'static, Result<Vec<Report>, skrei_ledger::Error>>>,
    /// What somebody waits for an answer to.
    answers: JoinSet<Event>,
    /// When progress was last passed on.
    told: Option<Instant>,
    left: bool,
    welcomed: bool,
}

impl Session<'_> {
    async fn run(&mut self) -> End {
        self.link.latest.mark_changed();
        loop {
            let event = match self.next_event().await {
                Ok(event) => event,
                Err(end) => return end,
            };
            let actions = match event {
                Some(event) => self.dialogue.handle(event, Instant::now()),
                None => self.dialogue.sent(),
            };
            for action in actions {
                if let Some(end) = self.perform(action).await {
                    return end;
                }
            }
        }
    }

    /// What happens next; `None` is a message that was sent.
    async fn next_event(&mut self) -> Result<Option<Event>, End> {
        let (wakeup, _why) = self.dialogue.next_wakeup();
        let link = &mut *self.link;
        let event = tokio::select! {
            message = self.stream.next(), if !self.dialogue.is_congested() => heard(message)?,
            permit = self.sending.reserve(), if self.dialogue.has_message() => {
                if let (Ok(permit), Some(message)) = (permit, self.dialogue.next_message()) {
                    permit.send(message);
                }
                return Ok(None);
            }
            end = &mut self.writer => return Err(end.unwrap_or_else(|error| End::Broken(error.to_string()))),
            Some(reports) = &mut self.fetching => {
                self.fetching = None.into();
                Event::Reports(reports.map_err(End::Journal)?)
            }
            Some(answer) = self.answers.join_next(), if !self.answers.is_empty() => match answer {
                Ok(answer) => answer,
                Err(error) => return Err(End::Broken(error.to_string())),
            },
            question = link.node.secrets.desk.next(), if self.welcomed && !self.dialogue.is_congested() => {
                Event::Wanted(question)
            }
            Ok(()) = link.latest.changed() => Event::ReportsUpTo(*link.latest.borrow_and_update()),
            news = link.node.told.news_after(self.told), if self.welcomed && !self.dialogue.is_congested() => {
                self.told = Some(Instant::now());
                Event::Told(news)
            }
            Ok(()) = link.load.changed() => Event::Load(link.load.borrow_and_update().clone()),
            () = link.leaving.cancelled(), if self.welcomed && !self.left => {
                self.left = true;
                Event::Leaving
            }
            () = tokio::time::sleep_until(wakeup) => {
                link.node.journal.forget_acknowledged().await;
                Event::Woken
            }
        };
        Ok(Some(event))
    }

    async fn perform(&mut self, action: Action) -> Option<End> {
        match action {
            Action::Welcomed(orchestrator) => {
                tracing::info!(%orchestrator, address = %self.address, "linked");
                self.welcomed = true;
                self.link.node.secrets.desk.ask_again();
                self.link.current.send_replace(Some(self.address.clone()));
            }
            Action::Run(assignment) => return self.order(Order::Run(assignment)).await,
            Action::Cancel { execution, reason } => {
                return self.order(Order::Cancel { execution, reason }).await;
            }
            Action::Secrets(secrets) => self.link.node.secrets.desk.answer(secrets),
            Action::Renew => self.link.renewal.notify_one(),
            Action::Acknowledge(number) => self.link.node.journal.acknowledge(number),
            Action::Fetch { after } => {
                let node = Arc::clone(&self.link.node);
                let fetch = async move { node.journal.reports(after, REPORTS_AT_ONCE_MAX).await };
                self.fetching = Some(fetch.boxed()).into();
            }
            Action::Read(request) => {
                let (node, orders) = (Arc::clone(&self.link.node), self.link.orders.clone());
                self.answers.spawn(async move {
                    // An assignment that came just before the question is to be known by then.
                    let (answer, settled) = oneshot::channel();
                    if orders.send(Order::Settle { answer }).await.is_ok() {
                        let _ = settled.await;
                    }
                    Event::Log(LogPage { request: request.request, result: node.logs.read(&request).await })
                });
            }
            Action::Judge(Judge { request, spec }) => {
                let node = Arc::clone(&self.link.node);
                self.answers.spawn(async move {
                    let result = judge::judge(&node, &spec).await;
                    Event::Judged(Judgement { request, result })
                });
            }
            Action::Close(closing) => return Some(closing.into()),
        }
        None
    }

    async fn order(&mut self, order: Order) -> Option<End> {
        self.link.orders.send(order).await.err().map(|_| gone())
    }
}

/// Writes to the socket what the dialogue says; ends with the reason why it cannot.
async fn write(mut sink: SplitSink<Socket, Message>, mut queue: mpsc::Receiver<FromNode>) -> End {
    while let Some(message) = queue.recv().await {
        let sent = match serde_json::to_string(&message) {
            Ok(text) => sink.feed(Message::text(text)).await,
            Err(error) => return End::Garbled(error),
        };
        let flushed = match sent {
            Ok(()) if queue.is_empty() => sink.flush().await,
            other => other,
        };
        if let Err(error) = flushed {
            return End::Broken(error.to_string());
        }
    }
    // The session is over; whether the other side hears of it makes no difference.
    let _ = sink.close().await;
    End::Closed
}

fn heard(message: Option<Result<Message, tungstenite::Error>>) -> Result<Event, End> {
    let text = match message {
        None | Some(Ok(Message::Close(_))) => return Err(End::Closed),
        Some(Err(error)) => return Err(End::Broken(error.to_string())),
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
            return Ok(Event::Life);
        }
    };
    serde_json::from_str::<ToNode>(&text).map(Event::Received).map_err(End::Garbled)
}

impl From<Closing> for End {
    fn from(closing: Closing) -> Self {
        match closing {
            Closing::Rejected { message, hint } => Self::Rejected { message, hint },
            Closing::Silence => Self::Silence,
            Closing::NoWelcome => Self::NoWelcome,
        }
    }
}
