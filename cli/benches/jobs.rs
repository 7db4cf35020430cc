//! Whole jobs, from HTTP request to durable outcome, in one process over real sockets.
//!
//! `just bench` prints three figures: the latency of one no-op job, a burst of 1,000, and what 64 clients that
//! each wait for their job before they submit the next keep up.

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use serde_json::json;
use skrei_job::{Manifest, NodeId, resources::Resources, secret::Name};
use skrei_protocol::{
    api::{history::Level, job::PutJobResponse},
    client::Client,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot, task::JoinSet};
use tokio_util::sync::CancellationToken;

/// That of the program that is given to people.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLIENTS: u64 = 64;
const BURST: u64 = 1000;

/// As large as the private key of a certificate.
const SECRET_BYTES: usize = 4096;

/// An orchestrator and a node in this process, and a way to wait for jobs without asking.
struct System {
    client: Client,
    job: Manifest,
    with_secret: Manifest,
    secrets: BTreeMap<Name, String>,
    waiting: Arc<Mutex<BTreeMap<String, End>>>,
    _directory: tempfile::TempDir,
}

/// A job's end, or somebody who waits for it: whichever comes first.
enum End {
    Ended,
    Awaited(oneshot::Sender<()>),
}

impl System {
    async fn start(shutdown: &CancellationToken) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let api = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let nodes = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", api.local_addr().expect("an address"));
        let node_address = nodes.local_addr().expect("an address").to_string();
        let data_dir = directory.path().join("orchestrator");
        let config = skrei_requester::Config::new(NodeId::new("orchestrator"), data_dir);
        let listeners = skrei_requester::Listeners { api, api_tls: None, nodes };
        tokio::spawn(skrei_requester::serve(config, listeners, shutdown.clone()));
        let capacity = Resources { cpu_millis: 2000, memory_bytes: 8 << 30, disk_bytes: 1 << 30, gpus: 0 };
        let mut config =
            skrei_compute::Config::new(NodeId::new("node"), directory.path().join("compute"), capacity);
        config.orchestrators = vec![node_address];
        tokio::spawn(skrei_compute::serve(config, shutdown.clone()));

        let client = Client::new(&endpoint).expect("a client");
        while client.nodes("").await.map_or(true, |nodes| nodes.is_empty()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let artifact = client.ensure_artifact(Bytes::from_static(skrei_test_guests::noop())).await;
        let artifact = artifact.expect("an upload");
        let job = json!({
            "Type": "batch",
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "/wasm/noop.wasm"}},
                "InputSources": [{
                    "Source": {"Type": "artifact", "Params": {"Digest": artifact.digest, "Size": artifact.size}},
                    "Target": "/wasm/noop.wasm",
                }],
                "Resources": {"CPU": "10m", "Memory": "16MB"},
            }],
        });
        let mut with_secret = job.clone();
        with_secret["Tasks"][0]["Secrets"] = json!([{"Name": "key", "Target": "/secrets/key"}]);
        let job = serde_json::from_value(job).expect("a manifest");
        let with_secret = serde_json::from_value(with_secret).expect("a manifest");
        let waiting = Arc::new(Mutex::new(BTreeMap::new()));
        let mut events = client.events(None, 0).await.expect("an event stream");
        let ends = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Ok(event) = events.next().await {
                let entry = event.entry;
                if entry.kind == Level::Job
                    && matches!(entry.event.detail("NewState"), Some("Completed" | "Failed" | "Stopped"))
                {
                    assert_eq!(entry.event.detail("NewState"), Some("Completed"));
                    let mut ends = ends.lock().expect("no panic");
                    match ends.remove(&entry.job_id) {
                        Some(End::Awaited(tell)) => drop(tell.send(())),
                        _ => drop(ends.insert(entry.job_id, End::Ended)),
                    }
                }
            }
        });
        let secret = BASE64_STANDARD.encode(vec![b'k'; SECRET_BYTES]);
        let secrets = BTreeMap::from([("key".parse().expect("a name"), secret)]);
        let system = Self { client, job, with_secret, secrets, waiting, _directory: directory };
        // The first job compiles the module.
        system.job_to_end().await;
        system
    }

    async fn job_to_end(&self) {
        let accepted = self.client.submit(&self.job, false).await.expect("an accepted job");
        self.end_of(accepted).await;
    }

    /// The same with a secret that is given with it.
    async fn secret_job_to_end(&self) {
        let accepted = self.client.submit_with(&self.with_secret, false, &self.secrets).await;
        self.end_of(accepted.expect("an accepted job")).await;
    }

    async fn end_of(&self, accepted: PutJobResponse) {
        let ended = {
            let mut waiting = self.waiting.lock().expect("no panic");
            match waiting.remove(&accepted.job_id) {
                Some(_) => return,
                None => {
                    let (tell, ended) = oneshot::channel();
                    waiting.insert(accepted.job_id, End::Awaited(tell));
                    ended
                }
            }
        };
        ended.await.expect("the job ends");
    }

    /// So many jobs by so many clients, each one after the other.
    async fn jobs(self: &Arc<Self>, jobs: u64, clients: u64) {
        let mut working = JoinSet::new();
        for client in 0..clients.min(jobs) {
            let system = Arc::clone(self);
            let share = jobs / clients + u64::from(client < jobs % clients);
            working.spawn(async move {
                for _ in 0..share {
                    system.job_to_end().await;
                }
            });
        }
        working.join_all().await;
    }
}

/// Half of the jobs are faster than p50; one in a hundred is slower than p99.
#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn print_latency(runtime: &Runtime, system: &Arc<System>) {
    const JOBS: usize = 1000;
    let mut times: Vec<Duration> = (0..JOBS)
        .map(|_| {
            let start = Instant::now();
            runtime.block_on(system.job_to_end());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let [p50, p99] = [times[JOBS / 2], times[JOBS * 99 / 100]];
    println!("one noop job, submitted to completed, over {JOBS} jobs: p50 {p50:?}, p99 {p99:?}");
    print_secrets(runtime, system, JOBS);
}

/// By turns, so that whatever else the machine does meets both.
#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn print_secrets(runtime: &Runtime, system: &Arc<System>, jobs: usize) {
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let (mut without, mut with): (Vec<_>, Vec<_>) = (0..jobs)
        .map(|_| {
            let without = time(&|| runtime.block_on(system.job_to_end()));
            (without, time(&|| runtime.block_on(system.secret_job_to_end())))
        })
        .unzip();
    for times in [&mut without, &mut with] {
        times.sort_unstable();
    }
    let more = |at: usize| with[at].saturating_sub(without[at]);
    println!(
        "the same with a secret of {SECRET_BYTES} bytes: p50 {:?}, {:?} more; fastest tenth {:?} more",
        with[jobs / 2],
        more(jobs / 2),
        more(jobs / 10)
    );
}

/// How long so many repetitions of some work take.
fn timed(work: impl Fn(u64)) -> impl Fn(u64) -> Duration {
    move |repetitions| {
        let start = Instant::now();
        work(black_box(repetitions));
        start.elapsed()
    }
}

fn main() {
    let runtime = Runtime::new().expect("a runtime");
    let shutdown = CancellationToken::new();
    let system = Arc::new(runtime.block_on(System::start(&shutdown)));
    print_latency(&runtime, &system);
    let mut criterion = Criterion::default().configure_from_args().without_plots();
    let mut group = criterion.benchmark_group("noop job");
    group.bench_function("submitted to completed, one client", |bencher| {
        bencher.iter_custom(timed(|jobs| runtime.block_on(system.jobs(jobs, 1))));
    });
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    group.throughput(Throughput::Elements(BURST)).bench_function("burst of 1000 at once", |bencher| {
        bencher.iter_custom(timed(|bursts| {
            (0..bursts).for_each(|_| runtime.block_on(system.jobs(BURST, BURST)));
        }));
    });
    group.throughput(Throughput::Elements(BURST)).bench_function(
        "sustained by 64 clients, per 1000",
        |bencher| {
            bencher.iter_custom(timed(|thousands| runtime.block_on(system.jobs(thousands * BURST, CLIENTS))));
        },
    );
    group.finish();
    criterion.final_summary();
    shutdown.cancel();
}
