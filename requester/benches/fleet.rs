//! A fleet of real links: joined nodes over TLS, in a process of their own, so that what the orchestrator costs can be told
//! apart. The nodes do nothing with an execution but say that it completed.
//!
//! `just bench-fleet` prints, for 1,000 and 10,000 nodes: how long joining takes, what a connected node costs in memory and
//! processor time, how long one `ops` job takes over all of them, and how long one job after another takes on one.

#![expect(clippy::print_stdout, reason = "figures are what a bench is for")]

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{SinkExt as _, StreamExt as _};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use skrei_job::{Manifest, NodeId, life::ExecutionState, outcome::RunOutput, resources::Resources};
use skrei_protocol::{
    api::history::Level,
    client::Client,
    join::{Certified, JOIN_PATH, JoinRequest, JoinToken, Proof},
    link::{FromNode, Hello, LINK_PATH, Load, NodeInfo, PROTOCOL, Report, ToNode},
    version::VERSION,
};
use skrei_requester::{Config, Listeners, serve};
use skrei_tls::{
    ClientConfig, Credentials, Introduction, NodeKey, ORCHESTRATOR_NAME, Orchestrator, known_orchestrator,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_tungstenite::{client_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;

/// The argument that makes this program the nodes.
const NODES: &str = "--nodes";

/// Nodes that join at once.
const JOINING: usize = 64;

/// As often as a node is set to unless told otherwise.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How long the idle fleet is watched.
const IDLE: Duration = Duration::from_secs(20);

/// Jobs one after another.
const SINGLE_JOBS: usize = 100;

fn main() {
    // Two files a link, one on either side.
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    match arguments.iter().position(|argument| argument == NODES) {
        Some(at) => {
            let [address, token, count] = [1, 2, 3].map(|offset| arguments[at + offset].clone());
            runtime.block_on(be_nodes(address, PathBuf::from(token), count.parse().expect("a number")));
        }
        None => {
            for count in [1_000, 10_000] {
                runtime.block_on(measure(count));
            }
        }
    }
}

/// An orchestrator in this process and so many nodes in another.
async fn measure(count: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let api = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nodes = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let client = Client::new(&format!("http://{}", api.local_addr().expect("an address"))).expect("a client");
    let address = nodes.local_addr().expect("an address").to_string();
    let config = Config::new(NodeId::new("orchestrator"), directory.path());
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(serve(config, Listeners { api, api_tls: None, nodes }, shutdown.clone()));
    client.alive().await.expect("an orchestrator");
    let before = memory();

    let begun = Instant::now();
    let mut fleet = Fleet::start(&address, &directory.path().join("join-token"), count);
    fleet.wait_until_linked().await;
    println!("{count} nodes joined and linked in {:.1} s", begun.elapsed().as_secs_f64());
    let linked = memory();
    let each = linked.saturating_sub(before) / count as u64;
    let busy = processor_time();
    tokio::time::sleep(IDLE).await;
    let share = (processor_time() - busy).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    println!("  idle: {each} bytes each, {} MB in all, {share:.1} % of a core", linked >> 20);

    let mut single = Vec::with_capacity(SINGLE_JOBS);
    for _ in 0..SINGLE_JOBS {
        single.push(run(&client, "batch").await);
    }
    single.sort();
    let at = |share: usize| single[SINGLE_JOBS * share / 100].as_secs_f64() * 1e3;
    println!("  one batch job, submitted to completed: p50 {:.1} ms, p99 {:.1} ms", at(50), at(99));
    let all = run(&client, "ops").await;
    println!(
        "  one ops job on all, submitted to completed: {:.2} s, {} MB",
        all.as_secs_f64(),
        memory() >> 20
    );
    drop(fleet);
    shutdown.cancel();
    let _ = serving.await;
}

/// Submits a job and waits for its end.
async fn run(client: &Client, kind: &str) -> Duration {
    let begun = Instant::now();
    let job = client.submit(&job(kind), true).await.expect("a job").job_id;
    let mut events = client.events(Some(&job), 0).await.expect("events");
    loop {
        let event = events.next().await.expect("an event");
        match event.entry.event.detail("NewState") {
            Some("Completed") if event.entry.kind == Level::Job => return begun.elapsed(),
            Some("Failed") if event.entry.kind == Level::Job => panic!("the job failed: {event:?}"),
            _ => {}
        }
    }
}

fn job(kind: &str) -> Manifest {
    let module = json!({"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}});
    let job = json!({
        "Type": kind,
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
            "InputSources": [{"Source": module, "Target": "main.wasm"}],
        }],
    });
    serde_json::from_value(job).expect("a manifest")
}

/// Memory of this process that is in use, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Processor time of this process.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a status");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks: u64 = [11, 12].into_iter().map(|at| fields[at].parse::<u64>().expect("a number")).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// The process of the nodes.
struct Fleet {
    process: Child,
}

impl Fleet {
    fn start(address: &str, token: &std::path::Path, count: usize) -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.args([NODES, address]).arg(token).arg(count.to_string()).stdout(Stdio::piped());
        Self { process: command.spawn().expect("a process") }
    }

    async fn wait_until_linked(&mut self) {
        let stdout = self.process.stdout.take().expect("an output");
        let said = tokio::task::spawn_blocking(move || BufReader::new(stdout).lines().next());
        said.await.expect("a thread").expect("all nodes are linked").expect("a line");
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Joins and links so many nodes, says so, and serves until it is killed.
async fn be_nodes(address: String, token: PathBuf, count: usize) {
    let token: JoinToken = std::fs::read_to_string(token).expect("a token").parse().expect("a token");
    let introduction = Introduction::to(Orchestrator::Fingerprint(token.authority)).expect("a client");
    let joins =
        reqwest::Client::builder().tls_backend_preconfigured(introduction.config).build().expect("a client");
    let directory = tempfile::tempdir().expect("a directory");
    let turns = Arc::new(Semaphore::new(JOINING));
    let (mut linking, mut links) = (JoinSet::new(), JoinSet::new());
    for number in 0..count {
        let (address, token, joins) = (address.clone(), token.clone(), joins.clone());
        let (turns, path) = (Arc::clone(&turns), directory.path().join(number.to_string()));
        linking.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let name = format!("node-{number}");
            let config = join(&address, &token, &joins, &name, &path).await;
            link(&address, config, &name).await
        });
    }
    while let Some(linked) = linking.join_next().await {
        links.spawn(answer(linked.expect("a link")));
    }
    println!("linked");
    let _ = std::io::stdout().flush();
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
        .certified(&certificate, &authority, token.authority, &path.with_extension("pem"))
        .expect("an identity");
    known_orchestrator(identity.authority().clone(), Credentials::new(&identity)).expect("a client")
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<TcpStream>>;

async fn link(address: &str, config: ClientConfig, name: &str) -> Socket {
    let stream = TcpStream::connect(address).await.expect("a connection");
    let server = ServerName::try_from(ORCHESTRATOR_NAME).expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(server, stream).await.expect("a handshake");
    let (mut socket, _) = client_async(format!("ws://{address}{LINK_PATH}"), stream).await.expect("a link");
    let hello = Hello {
        protocol: PROTOCOL.to_owned(),
        version: VERSION.to_owned(),
        node: NodeId::new(name),
        info: NodeInfo {
            engines: vec!["wasm".to_owned()],
            capacity: Resources { cpu_millis: 4000, memory_bytes: 4 << 30, disk_bytes: 1 << 30, gpus: 0 },
            ..NodeInfo::default()
        },
        holds: Vec::new(),
    };
    say(&mut socket, FromNode::Hello(hello)).await;
    while !matches!(hear(&mut socket).await, ToNode::Welcome(_)) {}
    socket
}

/// Says of every execution that it completed.
async fn answer(mut socket: Socket) {
    let (mut number, mut heartbeat) = (0, tokio::time::interval(HEARTBEAT));
    loop {
        tokio::select! {
            message = hear(&mut socket) => if let ToNode::Run(assignment) = message {
                number += 1;
                let state = ExecutionState::Completed(RunOutput::head(b"", b"", Some(0)));
                say(&mut socket, FromNode::Report(Report { number, execution: assignment.execution, state })).await;
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
