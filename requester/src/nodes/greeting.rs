//! The first words of a link: who calls, whether it may, and a refusal that says why not.

use std::{net::SocketAddr, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use skrei_protocol::{
    join::Refusal,
    link::{FromNode, Hello, PROTOCOL, ToNode},
    version::{VERSION, may_link},
};
use skrei_scheduler::{Membership, NodeInfo};

use super::identities::Caller;

/// How long a new connection may take to say who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest node id: ids become file names and labels.
const NODE_ID_MAX: usize = 128;

/// What a link is written to.
pub(super) type Sink = SplitSink<WebSocket, Message>;

/// Who calls, if it says so and may.
pub(super) async fn greeting(
    sink: &mut Sink,
    stream: &mut SplitStream<WebSocket>,
    caller: &Caller,
    address: SocketAddr,
) -> Option<Hello> {
    let hello = tokio::time::timeout(HELLO_TIMEOUT, stream.next()).await;
    let Ok(Some(Ok(Message::Text(text)))) = hello else {
        tracing::debug!(%address, "a connection to the node listener said nothing");
        return None;
    };
    let hello = match serde_json::from_str(&text) {
        Ok(FromNode::Hello(hello)) => hello,
        _ => {
            tracing::warn!(%address, "a connection to the node listener does not speak the node link");
            return None;
        }
    };
    if let Err(refusal) = admit(caller, &hello) {
        tracing::warn!(node = %caller.node, %address, reason = %refusal.message, "a node was turned away");
        say_no(sink, refusal).await;
        return None;
    }
    Some(hello)
}

/// Says in the words of the link why there is none.
pub(super) async fn turn_away(socket: WebSocket, refusal: Refusal) {
    let (mut sink, _stream) = socket.split();
    say_no(&mut sink, refusal).await;
}

pub(super) async fn say_no(sink: &mut Sink, Refusal { message, hint }: Refusal) {
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
pub(super) fn scheduled(hello: &Hello, membership: Membership) -> NodeInfo {
    NodeInfo {
        id: hello.node.clone(),
        labels: hello.info.labels.clone(),
        engines: hello.info.engines.iter().map(|engine| engine.to_ascii_lowercase()).collect(),
        capacity: hello.info.capacity,
        membership,
    }
}

/// Sends one message at once.
pub(super) async fn send(sink: &mut Sink, message: &ToNode) -> Result<(), axum::Error> {
    sink.send(encode(message)?).await
}

/// A message as it is on the wire.
pub(super) fn encode(message: &ToNode) -> Result<Message, axum::Error> {
    serde_json::to_string(message).map(|text| Message::Text(text.into())).map_err(axum::Error::new)
}
