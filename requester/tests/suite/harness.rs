//! An orchestrator in this process, and nodes that say what a test tells them to.

use std::{path::Path, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use skrei_job::{
    ExecutionId, Manifest, NodeId, life::ExecutionState, outcome::RunOutput, resources::Resources,
};
use skrei_protocol::{
    client::Client,
    link::{Assignment, FromNode, Hello, LINK_PATH, NodeInfo, PROTOCOL, Report, ToNode},
};
use skrei_requester::{Config, Error, Listeners, serve};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

/// Nothing in these tests takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Orchestrator {
    pub(crate) client: Client,
    pub(crate) api: String,
    pub(crate) nodes: String,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), Error>>,
}

impl Orchestrator {
    pub(crate) async fn start(directory: &TempDir) -> Self {
        Self::start_with(directory.path(), None).await
    }

    pub(crate) async fn start_with(directory: &Path, token: Option<&str>) -> Self {
        let config = Config::new(NodeId::new("orchestrator"), directory);
        Self::start_as(Config { token: token.map(str::to_owned), ..config }).await
    }

    /// One that web pages of these origins may call.
    pub(crate) async fn start_allowing(directory: &TempDir, origins: &[&str]) -> Self {
        let config = Config::new(NodeId::new("orchestrator"), directory.path());
        let allowed_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Self::start_as(Config { allowed_origins, ..config }).await
    }

    pub(crate) async fn start_as(config: Config) -> Self {
        let (api, nodes) = (listener().await, listener().await);
        let address = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
        let (api_address, node_address) = (address(&api), address(&nodes));
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve(config, Listeners { api, api_tls: None, nodes }, shutdown.clone()));
        let endpoint = format!("http://{api_address}");
        let client = Client::new(&endpoint).unwrap();
        Self { client, api: format!("{endpoint}/api/v1"), nodes: node_address, shutdown, serving }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }

    pub(crate) async fn node(&self, name: &str) -> Node {
        let mut node = self.dial().await;
        node.say(FromNode::Hello(hello(name))).await;
        let answer = node.hear().await;
        assert!(matches!(answer, ToNode::Welcome(_)), "{answer:?}");
        // It is listed once that is on disk.
        let listed = async {
            while self.client.node(name).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        // Where a token is asked for, or the store is blocked, nobody looks at the list.
        let _ = tokio::time::timeout(Duration::from_secs(2), listed).await;
        node
    }

    /// A connection that has not said who it is.
    pub(crate) async fn dial(&self) -> Node {
        let (socket, _) = connect_async(format!("ws://{}{LINK_PATH}", self.nodes)).await.unwrap();
        Node { socket, number: 0 }
    }

    /// Submits and returns the job's id.
    pub(crate) async fn submit(&self, job: &Manifest) -> String {
        self.client.submit(job, false).await.unwrap().job_id
    }

    /// Waits for a job-level entry with this new state.
    pub(crate) async fn wait_for_state(&self, job: &str, state: &str) {
        let wait = async {
            let mut events = self.client.events(Some(job), 0).await.unwrap();
            while events.next().await.unwrap().entry.event.detail("NewState") != Some(state) {}
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("not {state}: {:#?}", self.client.job(job, "history,executions").await);
        }
    }
}

pub(crate) struct Node {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    number: u64,
}

impl Node {
    pub(crate) async fn say(&mut self, message: FromNode) {
        let text = serde_json::to_string(&message).unwrap();
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> ToNode {
        let next = async {
            loop {
                match self.socket.next().await.expect("an open link").unwrap() {
                    Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Message::Close(_) => panic!("the link was closed"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next).await.expect("a message")
    }

    pub(crate) async fn assignment(&mut self) -> Assignment {
        match self.hear().await {
            ToNode::Run(assignment) => *assignment,
            other => panic!("not an assignment: {other:?}"),
        }
    }

    /// Reports a state and waits until it is acknowledged.
    pub(crate) async fn report(&mut self, execution: &ExecutionId, state: ExecutionState) {
        self.number += 1;
        let number = self.number;
        self.say(FromNode::Report(Report { number, execution: execution.clone(), state })).await;
        loop {
            if matches!(self.hear().await, ToNode::Acknowledge { number: seen } if seen >= number) {
                return;
            }
        }
    }
}

pub(crate) fn hello(name: &str) -> Hello {
    Hello {
        protocol: PROTOCOL.to_owned(),
        version: "0.1.0".to_owned(),
        node: NodeId::new(name),
        token: None,
        info: NodeInfo {
            engines: vec!["wasm".to_owned()],
            capacity: Resources { cpu_millis: 4000, memory_bytes: 4 << 30, disk_bytes: 1 << 30, gpus: 0 },
            ..NodeInfo::default()
        },
        holds: Vec::new(),
    }
}

/// A job whose module is carried inline; no node of these tests looks at it.
pub(crate) fn job(kind: &str) -> Manifest {
    let module = json!({"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}});
    serde_json::from_value(json!({
        "Type": kind,
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
            "InputSources": [{"Source": module, "Target": "main.wasm"}],
        }],
    }))
    .unwrap()
}

pub(crate) fn completed(stdout: &str) -> ExecutionState {
    ExecutionState::Completed(RunOutput::head(stdout.as_bytes(), b"", Some(0)))
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}
