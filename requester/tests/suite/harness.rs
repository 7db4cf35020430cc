//! An orchestrator in this process, and nodes that say what a test tells them to.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use skrei_job::{
    ExecutionId, Manifest, NodeId, life::ExecutionState, outcome::RunOutput, resources::Resources,
};
use skrei_protocol::{
    api::node::PutNodeRequest,
    client::Client,
    join::{Certified, JOIN_PATH, JoinRequest, JoinToken, Proof, Refusal},
    link::{Assignment, FromNode, Hello, LINK_PATH, NodeInfo, PROTOCOL, Report, ToNode},
};
use skrei_requester::{Callers, Config, Error, Listeners, serve};
use skrei_tls::{
    ClientConfig, Credentials, Identity, Introduction, NodeKey, ORCHESTRATOR_NAME, known_orchestrator,
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

/// Nothing in these tests takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Orchestrator {
    pub(crate) client: Client,
    pub(crate) api: String,
    pub(crate) nodes: String,
    directory: PathBuf,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), Error>>,
}

impl Orchestrator {
    pub(crate) async fn start(directory: &TempDir) -> Self {
        Self::start_with(directory.path(), |_| {}).await
    }

    pub(crate) async fn start_with(directory: &Path, configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::new(NodeId::new("orchestrator"), directory);
        configure(&mut config);
        Self::start_as(config).await
    }

    /// One that web pages of these origins may call.
    pub(crate) async fn start_allowing(directory: &TempDir, origins: &[&str]) -> Self {
        let allowed_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
        Self::start_with(directory.path(), |config| config.allowed_origins = allowed_origins).await
    }

    /// One that asks who is calling.
    pub(crate) async fn start_asking(directory: &Path, callers: Callers) -> Self {
        let config = Config::new(NodeId::new("orchestrator"), directory);
        Self::start_as(Config { callers, ..config }).await
    }

    pub(crate) async fn start_as(config: Config) -> Self {
        let (api, nodes) = (listener().await, listener().await);
        let address = |listener: &TcpListener| listener.local_addr().unwrap().to_string();
        let (api_address, node_address) = (address(&api), address(&nodes));
        let directory = config.data_dir.clone();
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(serve(config, Listeners { api, api_tls: None, nodes }, shutdown.clone()));
        let endpoint = format!("http://{api_address}");
        let client = Client::new(&endpoint).unwrap();
        // Answered once it is all there.
        client.alive().await.unwrap();
        Self { client, api: format!("{endpoint}/api/v1"), nodes: node_address, directory, shutdown, serving }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap().unwrap();
    }

    /// A node of this name that has joined, and is linked.
    pub(crate) async fn node(&self, name: &str) -> Node {
        let mut node = self.dial_as(name).await;
        node.say(FromNode::Hello(hello(name))).await;
        let answer = node.hear().await;
        assert!(matches!(answer, ToNode::Welcome(_)), "{answer:?}");
        // It is listed once that is on disk.
        let listed = async {
            while let Err(skrei_protocol::client::Error::Api(error)) = self.client.node(name).await
                && error.status == 404
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        // Where a token is asked for, or the store is blocked, nobody looks at the list.
        let _ = tokio::time::timeout(Duration::from_secs(2), listed).await;
        node
    }

    /// A connection of a node that has joined and said nothing on it.
    pub(crate) async fn dial_as(&self, name: &str) -> Node {
        let identity = self.identity(name).await;
        self.dial(known(&identity)).await
    }

    /// A connection that has said nothing.
    pub(crate) async fn dial(&self, config: ClientConfig) -> Node {
        let stream = self.connect(config).await.unwrap();
        let (socket, _) = client_async(format!("ws://{}{LINK_PATH}", self.nodes), stream).await.unwrap();
        Node { socket, number: 0, heard: VecDeque::new() }
    }

    /// An encrypted connection to the node listener.
    pub(crate) async fn connect(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(&self.nodes).await?;
        let name = ServerName::try_from(ORCHESTRATOR_NAME).unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// Whoever believes the orchestrator and shows no certificate.
    pub(crate) fn introduction(&self) -> ClientConfig {
        let authority = self.token().authority;
        Introduction::to(skrei_tls::Orchestrator::Fingerprint(authority)).unwrap().config
    }

    /// The token of the first start.
    pub(crate) fn token(&self) -> JoinToken {
        std::fs::read_to_string(self.directory.join("join-token")).unwrap().parse().unwrap()
    }

    /// Who the node of this name is; it joins if it has not.
    pub(crate) async fn identity(&self, name: &str) -> Identity {
        let file = self.file(name, "identity.pem");
        if let Some(identity) = Identity::read(&file).unwrap() {
            return identity;
        }
        let JoinToken { id, secret, authority } = self.token();
        let key = self.key(name);
        let request = key.request(name).unwrap();
        let certified = self.join(name, &request, Proof::Token { id, secret }).await.unwrap();
        key.certified(&certified.certificate, &certified.authority, Some(authority), &file).unwrap()
    }

    /// The key of a node that has not joined.
    pub(crate) fn key(&self, name: &str) -> NodeKey {
        NodeKey::provide(&self.file(name, "key.pem"), None).unwrap()
    }

    pub(crate) fn file(&self, name: &str, file: &str) -> PathBuf {
        let directory = self.directory.join("nodes-of-the-test").join(name);
        std::fs::create_dir_all(&directory).unwrap();
        directory.join(file)
    }

    /// Asks to be let in.
    pub(crate) async fn join(&self, name: &str, request: &str, proof: Proof) -> Result<Certified, Refusal> {
        let asked = JoinRequest { node: NodeId::new(name), request: request.to_owned(), proof };
        let client = self.requests(self.introduction());
        let answer = client.post(self.url(JOIN_PATH)).json(&asked).send().await.unwrap();
        if answer.status().is_success() {
            return Ok(answer.json().await.unwrap());
        }
        Err(answer.json().await.unwrap())
    }

    /// A client of the node listener's other routes.
    pub(crate) fn requests(&self, config: ClientConfig) -> reqwest::Client {
        reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.nodes)
    }

    /// Submits and returns the job's id.
    pub(crate) async fn submit(&self, job: &Manifest) -> String {
        self.client.submit(job, false).await.unwrap().job_id
    }

    /// Has this done with a node.
    pub(crate) async fn order(&self, node: &str, action: &str) -> Result<(), skrei_protocol::client::Error> {
        let request = PutNodeRequest { action: action.to_owned(), ..PutNodeRequest::default() };
        self.client.order(node, request).await
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

/// Connections of a node that has joined.
pub(crate) fn known(identity: &Identity) -> ClientConfig {
    known_orchestrator(identity.authority().clone(), Credentials::new(identity)).unwrap()
}

pub(crate) struct Node {
    socket: WebSocketStream<TlsStream<TcpStream>>,
    number: u64,
    /// Heard while something else was waited for.
    heard: VecDeque<ToNode>,
}

impl Node {
    pub(crate) async fn say(&mut self, message: FromNode) {
        let text = serde_json::to_string(&message).unwrap();
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn hear(&mut self) -> ToNode {
        match self.heard.pop_front() {
            Some(message) => message,
            None => self.hear_next().await,
        }
    }

    /// Waits for a message that is wanted; assignments that come before it are heard later.
    pub(crate) async fn hear_until<T>(&mut self, wanted: impl Fn(ToNode) -> Result<T, ToNode>) -> T {
        let mut earlier = VecDeque::new();
        loop {
            match wanted(self.hear().await) {
                Ok(found) => {
                    earlier.append(&mut self.heard);
                    self.heard = earlier;
                    return found;
                }
                Err(ToNode::Run(assignment)) => earlier.push_back(ToNode::Run(assignment)),
                Err(_) => {}
            }
        }
    }

    /// The next sign of life that is no message; none if the link ends.
    pub(crate) async fn sign_of_life(&mut self) -> Option<Message> {
        loop {
            match self.socket.next().await?.ok()? {
                Message::Text(_) => {}
                Message::Close(_) => return None,
                sign => return Some(sign),
            }
        }
    }

    async fn hear_next(&mut self) -> ToNode {
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
        self.hear_until(|message| match message {
            ToNode::Acknowledge { number: seen } if seen >= number => Ok(()),
            other => Err(other),
        })
        .await;
    }
}

pub(crate) fn hello(name: &str) -> Hello {
    Hello {
        protocol: PROTOCOL.to_owned(),
        version: "0.1.0".to_owned(),
        node: NodeId::new(name),
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
