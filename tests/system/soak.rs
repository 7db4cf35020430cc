//! A fleet that lives: nodes come, leave and are killed, and jobs of every type come and go, for as long as it is told to.
//! What the orchestrator and a node that stays need must not grow with what they have done.
//!
//! `just soak` takes half an hour; the tests take `SECONDS`. `SKREI_SOAK_SECONDS` says otherwise.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::json;
use skrei_protocol::client::Client;

use super::harness::{JobFile, Node, Orchestrator};

/// How long it takes when nobody says otherwise.
const SECONDS: u64 = 40;

/// So many jobs are kept that have ended. They are looked after once a minute.
const KEPT: u64 = 400;
const LOOKED_AFTER_EVERY: Duration = Duration::from_secs(60);

/// From a run of this length on it is known how much is enough: before, caches still fill.
const LONG: Duration = Duration::from_secs(300);

/// Between two batches of jobs.
const PACE: Duration = Duration::from_millis(250);

/// What a job may take of the store, with its history and executions.
const BYTES_A_JOB_MAX: u64 = 48 << 10;

/// What a store takes that is empty, its log included: the log is folded when it is longer than 16 MiB.
const EMPTY_STORE_BYTES: u64 = 24 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn memory_files_and_store_do_not_grow_with_what_a_fleet_has_done() {
    let time = Duration::from_secs(
        std::env::var("SKREI_SOAK_SECONDS")
            .map_or(SECONDS, |text| text.parse().expect("a number of seconds")),
    );
    let keep = format!("Orchestrator.Housekeeping.KeepJobs={KEPT}");
    let orchestrator =
        Orchestrator::start(&[&keep, "Orchestrator.NodeManager.DisconnectTimeout=4s", "Logging.Level=warn"]);
    let stays = Node::configured(&orchestrator, "stays", &["Logging.Level=warn"]);
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let mut load = Load::new(&client).await;
    let mut churn = Churn::default();
    let watched = [
        ("orchestrator", orchestrator.pid(), orchestrator.data_dir()),
        ("node", stays.pid(), stays.directory().to_owned()),
    ];
    let mut looks: Vec<Vec<Look>> = watched.iter().map(|_| Vec::new()).collect();
    let begun = Instant::now();
    let mut rounds = 0_usize;
    while begun.elapsed() < time {
        load.submit(rounds).await;
        if rounds.is_multiple_of(8) {
            churn.step(&orchestrator, rounds / 8).await;
        }
        for ((_, process, directory), looks) in watched.iter().zip(&mut looks) {
            looks.push(Look::at(*process, directory));
        }
        rounds += 1;
        tokio::time::sleep(PACE).await;
    }
    load.stop().await;

    let jobs = stored_jobs(&client).await;
    let in_a_look = load.submitted * LOOKED_AFTER_EVERY.as_secs() / time.as_secs().max(1);
    for ((name, ..), looks) in watched.iter().zip(&looks) {
        let third = looks.len() / 3;
        let (middle, last) = (Look::mean(&looks[third..2 * third]), Look::mean(&looks[2 * third..]));
        eprintln!(
            "{name}, {} s, {} jobs, {} nodes came and went: memory {} MB, then {} MB; files {}, then {}; disk {} MB, then {} MB",
            time.as_secs(),
            load.submitted,
            churn.came,
            middle.memory >> 20,
            last.memory >> 20,
            middle.files,
            last.files,
            middle.disk >> 20,
            last.disk >> 20,
        );
        let more = if time >= LONG { middle.memory / 10 + (4 << 20) } else { middle.memory / 3 + (16 << 20) };
        assert!(last.memory < middle.memory + more, "{name}: memory grows: {middle:?}, then {last:?}");
        assert!(last.files < middle.files + 12, "{name}: files stay open: {middle:?}, then {last:?}");
    }
    let store = Look::at(orchestrator.pid(), &orchestrator.data_dir()).disk;
    let most = EMPTY_STORE_BYTES + (KEPT + in_a_look).min(load.submitted) * BYTES_A_JOB_MAX;
    // Beyond the rule stay those of which a node that is gone still owes a word, for an hour.
    eprintln!("{jobs} jobs are kept in {} MB", store >> 20);
    assert!(store < most, "the store grows beyond its rule: {store} bytes for {jobs} jobs");
    assert!(load.submitted > time.as_secs(), "there was load: {} jobs", load.submitted);
}

async fn stored_jobs(client: &Client) -> u64 {
    let (mut count, mut token) = (0, String::new());
    loop {
        let page = client.jobs("", 1000, &token).await.unwrap();
        count += page.items.len() as u64;
        if page.next_token.is_empty() {
            return count;
        }
        token = page.next_token;
    }
}

/// Jobs of every type, again and again.
struct Load<'a> {
    client: &'a Client,
    short: [JobFile; 2],
    long: [JobFile; 2],
    /// What runs until it is stopped.
    running: Vec<String>,
    submitted: u64,
}

impl<'a> Load<'a> {
    async fn new(client: &'a Client) -> Self {
        let retry = json!({"Attempts": 2, "Backoff": "1s", "On": ["node-lost"]});
        let ops = JobFile::new(client, "ops", skrei_test_guests::noop(), &[]).await;
        let batch = JobFile::new(client, "batch", skrei_test_guests::noop(), &[]).await;
        let batch = batch.with("/Count", json!(3)).with("/Retry", retry);
        let service = JobFile::new(client, "service", skrei_test_guests::sleep(), &["600000"]).await;
        let daemon = JobFile::new(client, "daemon", skrei_test_guests::sleep(), &["600000"]).await;
        let service = service.with("/Count", json!(2));
        Self { client, short: [ops, batch], long: [service, daemon], running: Vec::new(), submitted: 0 }
    }

    async fn submit(&mut self, round: usize) {
        for job in &self.short {
            self.client.submit(&job.manifest(), true).await.unwrap();
            self.submitted += 1;
        }
        if round.is_multiple_of(6) {
            let job = &self.long[round / 6 % 2];
            self.running.push(self.client.submit(&job.manifest(), true).await.unwrap().job_id);
            self.submitted += 1;
        }
        if self.running.len() > 4 {
            let job = self.running.remove(0);
            self.client.stop(&job, Some("enough".to_owned())).await.unwrap();
        }
    }

    async fn stop(&mut self) {
        for job in self.running.drain(..) {
            self.client.stop(&job, Some("the end".to_owned())).await.unwrap();
        }
    }
}

/// Nodes that come and do not stay.
#[derive(Default)]
struct Churn {
    nodes: Vec<(String, Node)>,
    came: usize,
}

impl Churn {
    async fn step(&mut self, orchestrator: &Orchestrator, step: usize) {
        match step % 4 {
            0 | 1 if self.nodes.len() < 3 => {
                let name = format!("guest-{}", self.came);
                self.came += 1;
                self.nodes
                    .push((name.clone(), Node::configured(orchestrator, &name, &["Logging.Level=warn"])));
            }
            // Killed and started again: what it ran was interrupted.
            2 => {
                if let Some((_, node)) = self.nodes.last_mut() {
                    node.kill();
                    node.start_again();
                }
            }
            // Gone for good, and told so.
            _ if self.nodes.len() > 1 => {
                let (name, mut node) = self.nodes.remove(0);
                node.kill();
                let order = skrei_protocol::api::node::PutNodeRequest {
                    action: "delete".to_owned(),
                    ..skrei_protocol::api::node::PutNodeRequest::default()
                };
                // One that was killed before it had joined is not known.
                let _ = orchestrator.client().order(&name, order).await;
            }
            _ => {}
        }
    }
}

/// What a process needs.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    memory: u64,
    files: u64,
    disk: u64,
}

impl Look {
    fn at(process: u32, directory: &Path) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let memory = line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() << 10;
        let files = std::fs::read_dir(format!("/proc/{process}/fd")).map_or(0, |files| files.count() as u64);
        Self { memory, files, disk: size_of(directory) }
    }

    fn mean(looks: &[Self]) -> Self {
        let mean = |what: fn(&Self) -> u64| looks.iter().map(what).sum::<u64>() / (looks.len() as u64).max(1);
        Self { memory: mean(|it| it.memory), files: mean(|it| it.files), disk: mean(|it| it.disk) }
    }
}

fn size_of(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(it) if it.is_dir() => size_of(&entry.path()),
        Ok(it) => it.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
