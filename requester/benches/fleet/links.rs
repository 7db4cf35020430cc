//! Links without nodes: each has joined and speaks the protocol over TLS, and says of every execution that it ran and
//! completed.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{SinkExt as _, StreamExt as _};
use skrei_job::{NodeId, life::ExecutionState, outcome::RunOutput};
use skrei_protocol::{
    join::{Certified, JOIN_PATH, JoinRequest, JoinToken, Proof},
    link::{FromNode, Hello, LINK_PATH, Load, NodeInfo, PROTOCOL, Report, ToNode},
    version::VERSION,
};
use skrei_tls::{
    ClientConfig, Credentials, Introduction, NodeKey, ORCHESTRATOR_NAME, Orchestrator, known_orchestrator,
};
use tokio::{net::TcpStream, sync::Semaphore, task::JoinSet, time::Instant};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::{CAPACITY, HEARTBEAT, JOINING, OtherSide, say_linked};

/// Joins and links so many, says so, and serves until it is killed.
pub(super) async fn serve(side: OtherSide) {
    let OtherSide { address, token, count, directory } = side;
    let token: JoinToken = token.parse().expect("a token");
    let introduction = Introduction::to(Orchestrator::Fingerprint(token.authority)).expect("a client");
    let joins =
        reqwest::Client::builder().tls_backend_preconfigured(introduction.config).build().expect("a client");
    let turns = Arc::new(Semaphore::new(JOINING));
    let (mut linking, mut links) = (JoinSet::new(), JoinSet::new());
    for number in 0..count {
        let (address, token, joins) = (address.clone(), token.clone(), joins.clone());
        let (turns, path) = (Arc::clone(&turns), directory.join(number.to_string()));
        linking.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let name = format!("node-{number}");
            let config = join(&address, &token, &joins, &name, &path).await;
            link(&address, config, &name).await
        });
    }
    let mut number = 0;
    while let Some(linked) = linking.join_next().await {
        // Not all at the same moment, as they would not be either in a fleet that was not started by one program.
        let first = HEARTBEAT.mul_f64(f64::from(number) / count as f64);
        links.spawn(answer(linked.expect("a link"), first));
        number += 1;
    }
    say_linked();
    while let Some(ended) = links.join_next().await {
        ended.expect("a node");
    }
}

async fn join(
    address: &str,
    token: &JoinToken,
    joins: &reqwest::Client,
    name: &str,
    path: &std::path::Path,
) -> ClientConfig {
    let key = NodeKey::provide(&path.with_extension("key"), None).expect("a key");
    let request = key.request(name).expect("a request");
    let proof = Proof::Token { id: token.id.clone(), secret: token.secret.clone() };
    let asked = JoinRequest { node: NodeId::new(name), request, proof };
    let mut tries = 0;
    let answer = loop {
        // A connection that was kept may be closed meanwhile.
        match joins.post(format!("https://{address}{JOIN_PATH}")).json(&asked).send().await {
            Ok(answer) => break answer,
            Err(error) if tries > 20 => panic!("{error:?}"),
            Err(_) => tries += 1,
        }
    };
    let Certified { certificate, authority, .. } = answer.json().await.expect("a certificate");
    let identity = key
        .certified(&certificate, &authority, Some(token.authority), &path.with_extension("pem"))
        .expect("an identity");
    known_orchestrator(identity.authority().clone(), Credentials::new(&identity)).expect("a client")
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

async fn link(address: &str, config: ClientConfig, name: &str) -> Socket {
    let stream = TcpStream::connect(address).await.expect("a connection");
    // As a node does.
    stream.set_nodelay(true).expect("a connection");
    let server = ServerName::try_from(ORCHESTRATOR_NAME).expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await.expect("a handshake");
    let (mut socket, _) = client_async(format!("ws://{address}{LINK_PATH}"), stream).await.expect("a link");
    let hello = Hello {
        protocol: PROTOCOL.to_owned(),
        version: VERSION.to_owned(),
        node: NodeId::new(name),
        info: NodeInfo { engines: vec!["wasm".to_owned()], capacity: CAPACITY, ..NodeInfo::default() },
        holds: Vec::new(),
    };
    say(&mut socket, FromNode::Hello(hello)).await;
    while !matches!(hear(&mut socket).await, ToNode::Welcome(_)) {}
    socket
}

/// Says of every execution that it runs, and that it completed.
async fn answer(mut socket: Socket, first: Duration) {
    let mut heartbeat = tokio::time::interval_at(Instant::now() + first, HEARTBEAT);
    let mut number = 0;
    loop {
        tokio::select! {
            message = hear(&mut socket) => if let ToNode::Run(assignment) = message {
                // As a guest would say it that is asked for the time.
                let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_micros();
                let said = now.to_string();
                let completed = ExecutionState::Completed(RunOutput::head(said.as_bytes(), b"", Some(0)));
                for state in [ExecutionState::Running, completed] {
                    number += 1;
                    let execution = assignment.execution.clone();
                    say(&mut socket, FromNode::Report(Report { number, execution, state })).await;
                }
            },
            _ = heartbeat.tick() => say(&mut socket, FromNode::Heartbeat(Load::default())).await,
        }
    }
}

async fn say(socket: &mut Socket, message: FromNode) {
    let text = serde_json::to_string(&message).expect("a message");
    socket.send(Message::text(text)).await.expect("an open link");
}

async fn hear(socket: &mut Socket) -> ToNode {
    loop {
        if let Message::Text(text) = socket.next().await.expect("an open link").expect("an open link") {
            return serde_json::from_str(&text).expect("a message");
        }
    }
}
