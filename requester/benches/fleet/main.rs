//! A fleet of real links: joined nodes over TLS, in a process of their own, so that what the orchestrator costs can be told
//! apart. The orchestrator and the client that measures are in this process.
//!
//! `just bench-fleet` measures 1,000 whole nodes that run a real module ([`nodes`]), and 1,000 and 10,000 links of nodes that
//! only say they did ([`links`]). It prints how long joining takes, what an idle node costs in memory and processor time,
//! how long a job takes until its guest runs, by the guest's own clock, and until its submitter hears of that, and how long
//! one `ops` job takes over all of them. `just bench-fleet nodes` and
//! `just bench-fleet 1000` measure one of the three.

#![expect(clippy::print_stdout, reason = "figures are what a bench is for")]

mod links;
mod nodes;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use skrei_job::{Manifest, NodeId, resources::Resources};
use skrei_protocol::{
    api::{event::StreamEvent, history::Level},
    client::{Client, Events},
};
use skrei_requester::{Config, Listeners, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The arguments that make this program the other side.
const LINKS: &str = "--links";
const NODES: &str = "--nodes";

/// A directory without a disk.
const MEMORY: &str = "/dev/shm";

/// Links that are made at once.
const JOINING: usize = 64;

/// As often as a node is set to unless told otherwise.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a node shares out.
const CAPACITY: Resources =
    Resources { cpu_millis: 4000, memory_bytes: 4 << 30, disk_bytes: 1 << 30, gpus: 0 };

/// After so long what joining left behind is tidied up, and the fleet counts as idle.
const SETTLING: Duration = Duration::from_secs(5);

/// How long the idle fleet is watched: each node says several times that it lives.
const IDLE: Duration = Duration::from_secs(45);

/// Jobs one after another, and those before that do not count.
const SINGLE_JOBS: usize = 200;
const WARM_UP: usize = 20;

/// Jobs over all nodes. The first finds nothing where it runs.
const OPS_JOBS: usize = 5;

/// Files beside links: database, API, libraries.
const OTHER_FILES: u64 = 500;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let files = raise_files();
    if let [kind, address, token, count, directory] = arguments.as_slice() {
        let side = OtherSide {
            address: address.clone(),
            token: std::fs::read_to_string(token).expect("a token").trim().to_owned(),
            count: count.parse().expect("a number"),
            directory: directory.into(),
        };
        return match kind.as_str() {
            LINKS => runtime.block_on(links::serve(side)),
            _ => runtime.block_on(nodes::serve(side)),
        };
    }
    let all = [("nodes", NODES, 1_000, 16), ("1000", LINKS, 1_000, 1), ("10000", LINKS, 10_000, 1)];
    if arguments.is_empty() {
        // Each in a process of its own: what one leaves in memory would hide what the next takes.
        for (name, ..) in all {
            let program = std::env::current_exe().expect("this program");
            assert!(Command::new(program).arg(name).status().expect("a process").success(), "{name}");
        }
        return;
    }
    for (_, kind, count, files_each) in
        all.into_iter().filter(|(name, ..)| arguments.iter().any(|it| it == name))
    {
        let needed = count as u64 * files_each + OTHER_FILES;
        if files < needed {
            println!("{count} {kind}: skipped, {needed} files are needed and {files} may be open");
            continue;
        }
        runtime.block_on(measure(kind, count));
    }
}

/// What the process of the nodes is told.
struct OtherSide {
    /// Where the orchestrator's node listener is.
    address: String,
    /// What nodes join with.
    token: String,
    /// How many there are to be.
    count: usize,
    /// For what they keep.
    directory: PathBuf,
}

/// Lets this process have as many files as it may. Gives how many that are.
fn raise_files() -> u64 {
    let files = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// An orchestrator in this process and so many nodes in another.
async fn measure(kind: &str, count: usize) {
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
    let mut fleet = Fleet::start(kind, &address, &directory.path().join("join-token"), count);
    fleet.wait_until_told().await;
    wait_until_connected(&client, count).await;
    let what = if kind == NODES { "nodes that run a module" } else { "links over TLS" };
    println!("{count} {what}, joined and connected after {:.1} s", begun.elapsed().as_secs_f64());

    tokio::time::sleep(SETTLING).await;
    let linked = memory();
    let each = linked.saturating_sub(before) / count as u64;
    let busy = processor_time();
    tokio::time::sleep(IDLE).await;
    let share = (processor_time() - busy).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    println!("  idle: {each} bytes a node (asked: 20,000), {share:.1} % of a core (asked of 10,000: 5 %)");

    let mut jobs = Jobs { events: client.events(None, 0).await.expect("events"), client };
    let clock = jobs.program(skrei_test_guests::probe(), &["time"]).await;
    let noop = jobs.program(skrei_test_guests::noop(), &[]).await;
    for _ in 0..WARM_UP {
        jobs.run("batch", &clock).await;
    }
    let mut single = Vec::new();
    for _ in 0..SINGLE_JOBS {
        let ran = jobs.run("batch", &clock).await;
        single.push((jobs.until_it_ran(&ran).await, ran));
    }
    println!(
        "  one batch job on the idle fleet, its guest runs: {} (asked: p50 5 ms)",
        spread(single.iter().map(|(guest, _)| *guest))
    );
    println!(
        "  the same, told that it runs:                     {}",
        spread(single.iter().map(|(_, ran)| ran.started))
    );
    println!(
        "  the same, completed:                             {}",
        spread(single.iter().map(|(_, ran)| ran.ended))
    );
    let mut all = Vec::new();
    for _ in 0..OPS_JOBS {
        all.push(jobs.run("ops", &noop).await.ended);
    }
    let asked = if count > 1_000 { 10 } else { 1 };
    let seconds: Vec<_> = all.iter().map(|time| format!("{:.2}", time.as_secs_f64())).collect();
    println!(
        "  one ops job on all of them, completed:           {} s (asked: {asked} s)",
        seconds.join(", ")
    );
    println!(
        "  memory of the orchestrator: {} MB now, {} MB at most (asked: 200 MB)",
        memory() >> 20,
        peak() >> 20
    );
    drop(fleet);
    shutdown.cancel();
    let _ = serving.await;
}

async fn wait_until_connected(client: &Client, count: usize) {
    loop {
        let nodes = client.nodes("").await.expect("nodes");
        if nodes.iter().filter(|node| node.connection == "CONNECTED").count() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Somebody who submits jobs and hears of all that happens.
struct Jobs {
    client: Client,
    events: Events,
}

/// A module that was uploaded, and what it is run with.
struct Program {
    digest: String,
    size: u64,
    arguments: &'static [&'static str],
}

/// A job, and how long it took from its submission, as its submitter hears of it.
struct Ran {
    id: String,
    submitted: SystemTime,
    started: Duration,
    ended: Duration,
}

impl Jobs {
    async fn program(&self, module: &'static [u8], arguments: &'static [&'static str]) -> Program {
        let module = self.client.ensure_artifact(Bytes::from_static(module)).await.expect("an upload");
        Program { digest: module.digest.to_string(), size: module.size, arguments }
    }

    async fn run(&mut self, kind: &str, program: &Program) -> Ran {
        let job = program.job(kind);
        let (begun, submitted) = (Instant::now(), SystemTime::now());
        let id = self.client.submit(&job, true).await.expect("a job").job_id;
        let mut started = None;
        loop {
            let event: StreamEvent = self.events.next().await.expect("an event");
            if event.entry.job_id != id {
                continue;
            }
            if event.entry.kind == Level::Execution && event.entry.event.message == "Running" {
                started.get_or_insert(begun.elapsed());
            }
            match event.entry.event.detail("NewState") {
                Some("Completed") if event.entry.kind == Level::Job => {
                    let ended = begun.elapsed();
                    return Ran { id, submitted, started: started.unwrap_or(ended), ended };
                }
                Some("Failed") if event.entry.kind == Level::Job => panic!("the job failed: {event:?}"),
                _ => {}
            }
        }
    }

    /// How long after its submission the guest of a job said what time it is: microseconds, at the end of what it wrote.
    async fn until_it_ran(&self, ran: &Ran) -> Duration {
        let executions = self.client.executions(&ran.id).await.expect("executions").items;
        let output = executions[0].run_output.as_ref().expect("an output");
        let said = output.stdout.split_whitespace().next_back().expect("a time");
        let at = UNIX_EPOCH + Duration::from_micros(said.parse().expect("microseconds"));
        at.duration_since(ran.submitted).unwrap_or_default()
    }
}

impl Program {
    fn job(&self, kind: &str) -> Manifest {
        let module = json!({"Type": "artifact", "Params": {"Digest": self.digest, "Size": self.size}});
        let job = json!({
            "Type": kind,
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm", "Parameters": self.arguments}},
                "InputSources": [{"Source": module, "Target": "main.wasm"}],
            }],
        });
        serde_json::from_value(job).expect("a manifest")
    }
}

fn spread(times: impl Iterator<Item = Duration>) -> String {
    let mut times: Vec<f64> = times.map(|time| time.as_secs_f64() * 1e3).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)];
    format!("p50 {:.1} ms, p99 {:.1} ms", at(50), at(99))
}

/// Memory of this process that is in use, in bytes.
fn memory() -> u64 {
    status("VmRSS:")
}

/// The most it ever had.
fn peak() -> u64 {
    status("VmHWM:")
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("a size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") << 10
}

/// Processor time of this process.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("a status");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks: u64 = [11, 12].into_iter().map(|at| fields[at].parse::<u64>().expect("a number")).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Tells the other process that everything is on its way.
fn say_linked() {
    println!("linked");
    let _ = std::io::stdout().flush();
}

/// The process of the nodes.
struct Fleet {
    process: Child,
    _directory: tempfile::TempDir,
}

impl Fleet {
    fn start(kind: &str, address: &str, token: &Path, count: usize) -> Self {
        // Each of many machines would have a disk of its own; these have none.
        let root = if Path::new(MEMORY).is_dir() { PathBuf::from(MEMORY) } else { std::env::temp_dir() };
        let directory = tempfile::tempdir_in(root).expect("a directory");
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args([kind, address]).arg(token).arg(count.to_string()).arg(directory.path());
        let process = command.stdout(Stdio::piped()).spawn().expect("a process");
        Self { process, _directory: directory }
    }

    async fn wait_until_told(&mut self) {
        let stdout = self.process.stdout.take().expect("an output");
        let said = tokio::task::spawn_blocking(move || BufReader::new(stdout).lines().next());
        said.await.expect("a thread").expect("all nodes are on their way").expect("a line");
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
