//! A server as a process of its own, and latencies.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use skrei_job::NodeId;
use skrei_protocol::client::Client;
use skrei_requester::{Config, Listeners, serve};
use skrei_tls::{Authority, Pair, Served, Trust};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// The benchmark calls itself with this argument to be the server.
const SERVER: &str = "--be-the-server";

/// A server that ends with this.
pub(crate) struct Server {
    child: Child,
    pub(crate) client: Client,
}

impl Server {
    /// Starts one on this directory.
    pub(crate) fn start(directory: &Path, encrypted: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(SERVER).arg(directory).arg(encrypted.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("this program again");
        let mut endpoint = String::new();
        let output = child.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut endpoint).expect("a line");
        let ca_file = encrypted.then(|| directory.join("tls/ca.pem"));
        let trust = Trust { ca_file, ..Trust::default() };
        let client = Client::trusting(endpoint.trim(), &trust).expect("a client");
        Self { child, client }
    }

    /// The most memory it ever had, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) / 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Is the server, if the arguments say so.
pub(crate) fn be_the_server() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == SERVER) else { return false };
    let (directory, encrypted) = (Path::new(&arguments[at + 1]), arguments[at + 2] == "true");
    tokio::runtime::Runtime::new().expect("a runtime").block_on(run(directory, encrypted));
    true
}

#[expect(clippy::print_stdout, reason = "whoever started it reads where it is")]
async fn run(directory: &Path, encrypted: bool) {
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (api, nodes) = (bind().await.expect("a port"), bind().await.expect("a port"));
    let scheme = if encrypted { "https" } else { "http" };
    let endpoint = format!("{scheme}://{}", api.local_addr().expect("an address"));
    let api_tls = encrypted.then(|| {
        let authority = Authority::open(directory.join("tls")).expect("an authority");
        let names = ["127.0.0.1".to_owned()].into();
        authority.provide(&names, SystemTime::now()).expect("a certificate");
        let pair = Pair::read(&authority.server_files(), SystemTime::now()).expect("a pair");
        Served::new(&pair).server_config().expect("a configuration")
    });
    println!("{endpoint}");
    let config = Config::new(NodeId::new("orchestrator"), directory);
    let listeners = Listeners { api, api_tls, nodes };
    serve(config, listeners, CancellationToken::new()).await.expect("a server");
}

/// How long calls took, each.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Calls, and p50, p99 and the longest in milliseconds.
    pub(crate) fn line(&mut self, over: Duration) -> String {
        self.0.sort_unstable();
        let at = |share: f64| {
            let index = (self.0.len() as f64 * share) as usize;
            self.0
                .get(index.min(self.0.len().saturating_sub(1)))
                .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
        };
        let rate = self.0.len() as f64 / over.as_secs_f64();
        format!(
            "{rate:>9.0}/s   p50 {:>7.2} ms   p99 {:>7.2} ms   max {:>7.2} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        )
    }
}

/// Has so many clients make a call again and again for some time.
pub(crate) async fn measure<F: Future<Output = ()> + Send + 'static>(
    clients: usize,
    time: Duration,
    call: impl Fn() -> F + Send + Sync + 'static,
) -> Latencies {
    let call = Arc::new(call);
    let until = Instant::now() + time;
    let mut calling = JoinSet::new();
    for _ in 0..clients {
        let call = Arc::clone(&call);
        calling.spawn(async move {
            let mut latencies = Latencies::default();
            while Instant::now() < until {
                let start = Instant::now();
                call().await;
                latencies.add(start.elapsed());
            }
            latencies
        });
    }
    let mut all = Latencies::default();
    while let Some(latencies) = calling.join_next().await {
        all.join(latencies.expect("calls"));
    }
    all
}
