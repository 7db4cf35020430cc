//! A node under test, and an orchestrator that does what the test says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, Path, Query, State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::StatusCode,
    response::IntoResponse as _,
    routing::{get, put},
};
use serde_json::{Value, json};
use skrei_compute::{Config, Error, serve};
use skrei_job::{Digest, ExecutionId, JobId, NodeId, Spec, life::ExecutionState, resources::Resources};
use skrei_protocol::{
    link::{
        ARTIFACTS_PATH, Assignment, FromNode, Hello, LINK_PATH, LogChunk, ReadLog, Report, SealedSecret,
        ToNode, Welcome,
    },
    results::{PIECE_BYTES_MAX, Piece, RESULTS_PATH, Received},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::listener::Vouching;

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct TestNode {
    pub(crate) directory: TempDir,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), Error>>,
}

impl TestNode {
    /// Starts a node of one core that knows this orchestrator.
    pub(crate) fn start(orchestrator: &Orchestrator, configure: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), orchestrator, configure)
    }

    /// Starts a node on the data of an earlier one.
    pub(crate) fn start_in(
        directory: TempDir,
        orchestrator: &Orchestrator,
        configure: impl FnOnce(&mut Config),
    ) -> Self {
        let capacity = Resources { cpu_millis: 1000, memory_bytes: 1 << 30, disk_bytes: 1 << 30, gpus: 0 };
        let mut config = Config::new(NodeId::new("n-1"), directory.path().join("compute"), capacity);
        config.orchestrators = vec![orchestrator.address.clone()];
        config.token = Some(orchestrator.vouching.token());
        config.heartbeat = Duration::from_millis(200);
        configure(&mut config);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(config, shutdown.clone()));
        Self { directory, shutdown, task }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Why it ended by itself.
    pub(crate) async fn error(self) -> Error {
        timeout(PATIENCE, self.task).await.expect("the node ends").unwrap().unwrap_err()
    }

    /// Begins to shut down.
    pub(crate) fn leave(&self) {
        self.shutdown.cancel();
    }

    /// Shuts down and waits for the end.
    pub(crate) async fn stop(self) -> TempDir {
        self.shutdown.cancel();
        timeout(PATIENCE, self.task).await.expect("the node stops").unwrap().unwrap();
        self.directory
    }

    /// Ends at once, without a chance to say or write anything.
    pub(crate) async fn kill(self) -> TempDir {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        self.directory
    }
}

pub(crate) struct Orchestrator {
    pub(crate) address: String,
    pub(crate) vouching: Arc<Vouching>,
    sockets: mpsc::Receiver<WebSocket>,
    stock: Arc<Stock>,
}

struct Stock {
    sockets: mpsc::Sender<WebSocket>,
    artifacts: Mutex<BTreeMap<String, Vec<u8>>>,
    fetches: AtomicUsize,
    /// What has come in of each execution's results.
    results: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What pieces of results are answered in place of being taken.
    refusal: Mutex<Option<StatusCode>>,
    pieces: AtomicUsize,
}

impl Orchestrator {
    pub(crate) async fn start() -> Self {
        Self::vouched_for(Vouching::new()).await
    }

    /// Another one that the same authority vouches for.
    pub(crate) async fn beside(&self) -> Self {
        Self::vouched_for(Arc::clone(&self.vouching)).await
    }

    async fn vouched_for(vouching: Arc<Vouching>) -> Self {
        let (sender, sockets) = mpsc::channel(4);
        let stock = Arc::new(Stock {
            sockets: sender,
            artifacts: Mutex::default(),
            fetches: AtomicUsize::new(0),
            results: Mutex::default(),
            refusal: Mutex::default(),
            pieces: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route(LINK_PATH, get(accept))
            .route(&format!("{ARTIFACTS_PATH}/{{hex}}"), get(artifact))
            .route(&format!("{RESULTS_PATH}/{{job}}/{{execution}}"), put(take))
            .layer(DefaultBodyLimit::max(PIECE_BYTES_MAX))
            .with_state(Arc::clone(&stock))
            .merge(vouching.routes());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let listener = vouching.listener(listener);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, vouching, sockets, stock }
    }

    /// Holds these bytes as an artifact; gives the input source for it.
    pub(crate) fn holds(&self, content: &[u8], target: &str) -> Value {
        let digest = Digest::of(content);
        self.stock.artifacts.lock().unwrap().insert(digest.hex(), content.to_vec());
        artifact_input(digest, content.len(), target)
    }

    /// Answers with other bytes than those asked for.
    pub(crate) fn swaps(&self, asked: &[u8], given: &[u8]) {
        self.stock.artifacts.lock().unwrap().insert(Digest::of(asked).hex(), given.to_vec());
    }

    pub(crate) fn fetches(&self) -> usize {
        self.stock.fetches.load(Ordering::Relaxed)
    }

    /// Answers pieces of results with this, or takes them again.
    pub(crate) fn refuses_results(&self, status: Option<StatusCode>) {
        *self.stock.refusal.lock().unwrap() = status;
    }

    /// Has so much of an execution's results already.
    pub(crate) fn has_of(&self, execution: &str, content: &[u8]) {
        self.stock.results.lock().unwrap().insert(execution.to_owned(), content.to_vec());
    }

    /// Pieces of results that were sent.
    pub(crate) fn pieces(&self) -> usize {
        self.stock.pieces.load(Ordering::Relaxed)
    }

    /// What has come in of an execution's results.
    pub(crate) fn results_of(&self, execution: &str) -> Option<Vec<u8>> {
        self.stock.results.lock().unwrap().get(execution).cloned()
    }

    /// The next connection of a node, greeted and welcomed.
    pub(crate) async fn session(&mut self) -> Session {
        let mut session = self.call().await;
        session.welcome(PATIENCE).await;
        session
    }

    /// The next connection of a node, greeted and not answered.
    pub(crate) async fn call(&mut self) -> Session {
        let socket = timeout(PATIENCE, self.sockets.recv()).await.expect("the node calls").unwrap();
        let mut session = Session { socket, hello: None };
        let FromNode::Hello(hello) = session.hear_any().await.expect("a greeting") else {
            panic!("the node speaks before it greets")
        };
        session.hello = Some(hello);
        session
    }
}

pub(crate) fn artifact_input(digest: Digest, size: usize, target: &str) -> Value {
    json!({"Source": {"Type": "artifact", "Params": {"Digest": digest.to_string(), "Size": size}}, "Target": target})
}

async fn accept(State(stock): State<Arc<Stock>>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(async move |socket| {
        let _ = stock.sockets.send(socket).await;
    })
}

async fn artifact(State(stock): State<Arc<Stock>>, Path(hex): Path<String>) -> Result<Vec<u8>, StatusCode> {
    stock.fetches.fetch_add(1, Ordering::Relaxed);
    stock.artifacts.lock().unwrap().get(&hex).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn take(
    State(stock): State<Arc<Stock>>,
    Path((_, execution)): Path<(String, String)>,
    Query(piece): Query<Piece>,
    content: Bytes,
) -> axum::response::Response {
    stock.pieces.fetch_add(1, Ordering::Relaxed);
    if let Some(status) = *stock.refusal.lock().unwrap() {
        return (status, "refused by a test").into_response();
    }
    let mut results = stock.results.lock().unwrap();
    let held = results.entry(execution).or_default();
    let fits = held.len() as u64 == piece.offset;
    if fits {
        held.extend_from_slice(&content);
    }
    let status = if fits { StatusCode::OK } else { StatusCode::CONFLICT };
    (status, axum::Json(Received { received: held.len() as u64 })).into_response()
}

pub(crate) struct Session {
    socket: WebSocket,
    pub(crate) hello: Option<Hello>,
}

impl Session {
    pub(crate) async fn say(&mut self, message: ToNode) {
        self.socket.send(Message::Text(serde_json::to_string(&message).unwrap().into())).await.unwrap();
    }

    /// Takes the node in; it will take this one for gone after so much silence.
    pub(crate) async fn welcome(&mut self, silence_max: Duration) {
        let silence_max_millis = silence_max.as_millis() as u64;
        self.say(ToNode::Welcome(Welcome { orchestrator: NodeId::new("o-1"), silence_max_millis })).await;
    }

    /// Assigns an execution of the job.
    pub(crate) async fn assign(&mut self, execution: &str, spec: &Spec) {
        self.say(ToNode::Run(Box::new(assignment(execution, spec)))).await;
    }

    /// Assigns an execution of the job, with secrets that were sealed for it.
    pub(crate) async fn assign_with(&mut self, execution: &str, spec: &Spec, secrets: Vec<SealedSecret>) {
        let assignment = Assignment { secrets, ..assignment(execution, spec) };
        self.say(ToNode::Run(Box::new(assignment))).await;
    }

    /// Assigns an execution again that the node once said it runs.
    pub(crate) async fn assign_started(&mut self, execution: &str, spec: &Spec) {
        let assignment = Assignment { started: true, ..assignment(execution, spec) };
        self.say(ToNode::Run(Box::new(assignment))).await;
    }

    pub(crate) async fn cancel(&mut self, execution: &str) {
        let (execution, reason) = (ExecutionId::new(execution), "stopped by a test".to_owned());
        self.say(ToNode::Cancel { execution, reason }).await;
    }

    pub(crate) async fn acknowledge(&mut self, number: u64) {
        self.say(ToNode::Acknowledge { number }).await;
    }

    /// The next message that is no heartbeat; none if the node has closed the connection.
    pub(crate) async fn hear(&mut self) -> Option<FromNode> {
        loop {
            match self.hear_any().await {
                Some(FromNode::Heartbeat(_)) => {}
                other => return other,
            }
        }
    }

    pub(crate) async fn report(&mut self) -> Report {
        match self.hear().await {
            Some(FromNode::Report(report)) => report,
            other => panic!("{other:?} instead of a report"),
        }
    }

    /// The report of how an execution ended, after that it runs if it got so far; both acknowledged.
    pub(crate) async fn end_of(&mut self, execution: &str) -> ExecutionState {
        loop {
            let report = self.report().await;
            assert_eq!(report.execution.as_str(), execution);
            self.acknowledge(report.number).await;
            if report.state.is_terminal() {
                return report.state;
            }
        }
    }

    /// Runs an execution of the job to its end.
    pub(crate) async fn run(&mut self, execution: &str, spec: &Spec) -> ExecutionState {
        self.assign(execution, spec).await;
        self.end_of(execution).await
    }

    /// Asks for output from a position on.
    pub(crate) async fn read_log(
        &mut self,
        execution: &str,
        from: u64,
        wait: bool,
    ) -> Result<LogChunk, String> {
        let execution = ExecutionId::new(execution);
        self.read(ReadLog { request: from + 7, execution, from, wait, since: None }).await
    }

    /// Asks for output.
    pub(crate) async fn read(&mut self, request: ReadLog) -> Result<LogChunk, String> {
        let number = request.request;
        self.say(ToNode::ReadLog(request)).await;
        match self.hear().await {
            Some(FromNode::Log(page)) => {
                assert_eq!(page.request, number);
                page.result
            }
            other => panic!("{other:?} instead of a log"),
        }
    }

    async fn hear_any(&mut self) -> Option<FromNode> {
        loop {
            match timeout(PATIENCE, self.socket.recv()).await.expect("the node says something") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

fn assignment(execution: &str, spec: &Spec) -> Assignment {
    Assignment {
        execution: ExecutionId::new(execution),
        job: JobId::new("j-1"),
        version: 1,
        partition: 0,
        partitions: 1,
        spec: Arc::new(spec.clone()),
        started: false,
        secrets: Vec::new(),
    }
}

/// A job that runs the module at `/main.wasm`, one of these inputs.
pub(crate) fn job(inputs: &[Value], arguments: &[&str]) -> Spec {
    job_with(inputs, arguments, json!({}))
}

/// The same with more keys in its task.
pub(crate) fn job_with(inputs: &[Value], arguments: &[&str], more: Value) -> Spec {
    let mut task = json!({
        "Name": "main",
        "Engine": {"Type": "wasm", "Params": {"EntryModule": "/main.wasm", "Parameters": arguments}},
        "InputSources": inputs,
        "Resources": {"CPU": "500m", "Memory": "64MB"},
    });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(json!({"Name": "test", "Type": "ops", "Tasks": [task]})).unwrap()
}

/// An input source for a host path.
pub(crate) fn host_path(path: impl AsRef<std::path::Path>, target: &str, write: bool) -> Value {
    let params = json!({"SourcePath": path.as_ref(), "ReadWrite": write});
    json!({"Source": {"Type": "local", "Params": params}, "Target": target})
}
