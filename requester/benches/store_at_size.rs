//! The store at size: a file with a million jobs that ended, 500 submissions a second, and what everything else takes
//! meanwhile. `just bench-size` prints it, with the memory of the server.
//!
//! `SKREI_BENCH_JOBS` and `SKREI_BENCH_SECONDS` say otherwise. The file is made once and kept, in the target directory or
//! where `SKREI_BENCH_DIR` says; with the argument `fill` that is all that is done. What is submitted stays in it.

mod support;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use skrei_job::Manifest;
use skrei_ledger::rusqlite::{Connection, params};
use skrei_protocol::client::Client;
use support::{Latencies, Server, measure};
use tokio::{sync::Mutex, task::JoinSet, time::MissedTickBehavior};

/// Submissions for each second.
const SUBMISSIONS: u64 = 500;

/// How many of them may be on their way.
const SUBMITTERS: usize = 16;

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The id of the job of this number: as random as real ones.
fn id(number: u64) -> String {
    format!("j-{:08x}-0000-4000-8000-{number:012x}", number.wrapping_mul(2_654_435_761) & 0xffff_ffff)
}

/// A directory with a store of so many jobs; made once.
fn filled(jobs: u64) -> PathBuf {
    let place = std::env::var_os("SKREI_BENCH_DIR").map(PathBuf::from);
    let place = place.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned());
    let directory = place.join(format!("store-at-size-{jobs}"));
    let done = directory.join("filled");
    if !done.exists() {
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("a directory");
        // The server knows its tables.
        let server = Server::start(&directory, false);
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async { drop(server.client.jobs("", 1, "").await.expect("an answer")) });
        drop(server);
        fill(&directory.join("orchestrator.db"), jobs).expect("a store");
        std::fs::write(done, "").expect("a file");
    }
    directory
}

fn fill(file: &Path, jobs: u64) -> skrei_ledger::rusqlite::Result<()> {
    const HISTORY: [(&str, &str, bool); 6] = [
        ("Submission", "Job submitted", false),
        ("Scheduling", "Requested execution on n-1", true),
        ("State Update", "Running", false),
        ("Execution", "Running", true),
        ("Execution", "Completed successfully", true),
        ("State Update", "Completed", false),
    ];
    const START: u64 = 1_770_000_000_000_000_000;
    let mut connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; PRAGMA wal_autocheckpoint = 20000",
    )?;
    let mut number = 0;
    while number < jobs {
        let transaction = connection.transaction()?;
        {
            let mut job = transaction.prepare(
                "INSERT INTO job (seq, id, namespace, name, created) VALUES (?1, ?2, 'default', ?2, ?3)",
            )?;
            let mut version = transaction
                .prepare("INSERT INTO job_version (job, version, submitted, spec) VALUES (?1, 1, ?2, ?3)")?;
            let mut state = transaction.prepare("INSERT INTO job_state (job, version, revision, state, message, modified) VALUES (?1, 1, 3, 4, '', ?2)")?;
            let mut label =
                transaction.prepare("INSERT INTO job_label (key, value, job) VALUES (?1, ?2, ?3)")?;
            let mut execution = transaction.prepare("INSERT INTO execution (seq, id, job, version, node, partition, attempt, created) VALUES (?1, ?2, ?1, 1, 'n-1', 0, 0, ?3)")?;
            let mut execution_state = transaction.prepare("INSERT INTO execution_state (execution, revision, state, modified) VALUES (?1, 3, '{\"Completed\":{\"stdout\":\"hello\\n\",\"exit_code\":0}}', ?2)")?;
            let mut history = transaction
                .prepare("INSERT INTO history (position, job, number, entry) VALUES (?1, ?2, ?3, ?4)")?;
            for _ in 0..20_000.min(jobs - number) {
                number += 1;
                let (seq, id, at) =
                    (number.cast_signed(), id(number), (START + number * 1_000_000).cast_signed());
                let (environment, team) =
                    (if number % 2 == 0 { "prod" } else { "dev" }, format!("team-{}", number % 1000));
                let mut manifest = self::job();
                manifest.name.clone_from(&id);
                manifest.namespace = "default".to_owned();
                manifest.labels =
                    [("env".to_owned(), environment.to_owned()), ("team".to_owned(), team.clone())].into();
                job.execute(params![seq, id, at])?;
                version.execute(params![seq, at, serde_json::to_string(&manifest).expect("JSON")])?;
                state.execute(params![seq, at + 1_000_000])?;
                label.execute(params!["env", environment, seq])?;
                label.execute(params!["team", team, seq])?;
                let run = format!("e-{}", &id[2..]);
                execution.execute(params![seq, run, at])?;
                execution_state.execute(params![seq, at + 1_000_000])?;
                for (index, (topic, message, level)) in (1..).zip(HISTORY) {
                    let entry = json!({
                        "job": id, "version": 1, "number": index, "execution": level.then_some(&run),
                        "at": at, "topic": topic, "message": message, "details": {"NodeID": "n-1"},
                    });
                    history.execute(params![(seq - 1) * 6 + index, seq, index, entry.to_string()])?;
                }
            }
        }
        transaction.execute("UPDATE log SET position = ?1", [(number * 6).cast_signed()])?;
        transaction.commit()?;
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize")
}

fn job() -> Manifest {
    let module = json!({"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}});
    serde_json::from_value(json!({
        "Type": "batch", "Labels": {"env": "bench", "team": "bench"}, "Count": 1,
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
            "InputSources": [{"Source": module, "Target": "main.wasm"}],
            "Resources": {"CPU": "500m", "Memory": "512mb"},
        }],
    }))
    .expect("a manifest")
}

/// How long the disk is looked at before the rest, and what is written for one flush: about what a submission alone is.
const FLUSHES_TIME: Duration = Duration::from_secs(5);
const FLUSH_BYTES: usize = 32 << 10;

/// What the disk takes for a flush when nobody else uses it: no submission is faster.
fn flushes(directory: &Path) -> Latencies {
    let mut latencies = Latencies::default();
    let path = directory.join("flushes");
    let file = std::fs::File::create(&path).expect("a file");
    let begun = Instant::now();
    while begun.elapsed() < FLUSHES_TIME {
        let start = Instant::now();
        (&file).write_all(&[7; FLUSH_BYTES]).and_then(|()| file.sync_data()).expect("a disk");
        latencies.add(start.elapsed());
    }
    let _ = std::fs::remove_file(path);
    latencies
}

/// Submits at an even pace; each latency counts from when its submission was due.
async fn submit(client: Client, time: Duration) -> Latencies {
    let (due, waiting) = tokio::sync::mpsc::channel(10_000);
    let waiting = Arc::new(Mutex::new(waiting));
    let mut submitting = JoinSet::new();
    for _ in 0..SUBMITTERS {
        let (client, waiting) = (client.clone(), Arc::clone(&waiting));
        submitting.spawn(async move {
            let mut latencies = Latencies::default();
            loop {
                let next = waiting.lock().await.recv().await;
                let Some(due) = next else { return latencies };
                let due: Instant = due;
                client.submit(&job(), false).await.expect("an accepted job");
                latencies.add(due.elapsed());
            }
        });
    }
    let mut pace = tokio::time::interval(Duration::from_secs(1) / u32::try_from(SUBMISSIONS).expect("few"));
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let until = Instant::now() + time;
    while Instant::now() < until {
        pace.tick().await;
        due.send(Instant::now()).await.expect("submitters");
    }
    drop(due);
    let mut all = Latencies::default();
    while let Some(latencies) = submitting.join_next().await {
        all.join(latencies.expect("submissions"));
    }
    all
}

async fn figures(server: &Server, jobs: u64, time: Duration) {
    let client = server.client.clone();
    let next = Arc::new(AtomicU64::new(1));
    let some = move || id(next.fetch_add(7919, Ordering::Relaxed) % jobs + 1);
    // A token far into the list, made of one for its second page.
    let second = client.jobs("", 1, "").await.expect("a list").next_token;
    let (list, _) = second.rsplit_once('.').expect("a key");
    let middle = format!("{list}.{}", jobs / 2);
    let submitting = tokio::spawn(submit(client.clone(), time));
    let each = time / 7;
    let (own, any) = (client.clone(), some.clone());
    figure("describe", each, move || {
        let (client, id) = (own.clone(), any());
        async move { drop(client.job(&id, "executions,history").await.expect("a job")) }
    })
    .await;
    let own = client.clone();
    figure("history", each, move || {
        let (client, id) = (own.clone(), some());
        async move { drop(client.history(&id, false, "").await.expect("a history")) }
    })
    .await;
    for (what, labels, token) in [
        ("list, newest", "", String::new()),
        ("list, one team in a thousand", "team=team-7", String::new()),
        ("list, two labels", "env=dev,team in (team-7,team-8)", String::new()),
        ("list, from the middle", "env!=prod", middle),
    ] {
        let own = client.clone();
        figure(what, each, move || {
            let (client, token) = (own.clone(), token.clone());
            async move { drop(client.jobs(labels, 10, &token).await.expect("a list")) }
        })
        .await;
    }
    print("submit", submitting.await.expect("submissions"), time);
    println_memory(server);
}

async fn figure<F: Future<Output = ()> + Send + 'static>(
    what: &str,
    time: Duration,
    call: impl Fn() -> F + Send + Sync + 'static,
) {
    print(what, measure(1, time, call).await, time);
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn print(what: &str, mut latencies: Latencies, time: Duration) {
    println!("{what:<30} {}", latencies.line(time));
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn println_memory(server: &Server) {
    println!("memory of the server, at most  {} MiB", server.peak_memory_mib());
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn main() {
    if support::be_the_server() {
        return;
    }
    let jobs = number("SKREI_BENCH_JOBS", 1_000_000);
    let time = Duration::from_secs(number("SKREI_BENCH_SECONDS", 35));
    let begun = Instant::now();
    let directory = filled(jobs);
    let bytes = std::fs::metadata(directory.join("orchestrator.db")).expect("a file").len();
    println!("{jobs} jobs in {} MiB, there after {:.0?}", bytes >> 20, begun.elapsed());
    if std::env::args().any(|argument| argument == "fill") {
        return;
    }
    print("the disk alone: a flush", flushes(&directory), FLUSHES_TIME);
    let server = Server::start(&directory, false);
    tokio::runtime::Runtime::new().expect("a runtime").block_on(figures(&server, jobs, time));
}
