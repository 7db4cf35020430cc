//! Requests for a second and their latency: submit, get, list, history, and events to followers; over HTTP and HTTPS;
//! with one client and with 64. `just bench-api` prints them.
//!
//! Jobs end at once, since there is no node: what is measured is the API and the store.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use skrei_job::Manifest;
use skrei_protocol::client::Client;
use support::{Latencies, Server, measure};
use tokio::{sync::mpsc, task::JoinSet};

/// How long each figure takes.
const TIME: Duration = Duration::from_millis(1500);

/// Jobs that are there before lists are measured.
const JOBS: usize = 2000;

/// Jobs whose events are waited for.
const FOLLOWED: u64 = 300;

fn job() -> Manifest {
    let module = json!({"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}});
    serde_json::from_value(json!({
        "Type": "batch", "Labels": {"team": "bench"},
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
            "InputSources": [{"Source": module, "Target": "main.wasm"}],
        }],
    }))
    .expect("a manifest")
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
async fn figures(client: &Client, what: &str) {
    let mut ids = Vec::new();
    for _ in 0..JOBS {
        ids.push(client.submit(&job(), false).await.expect("an accepted job").job_id);
    }
    let ids = Arc::new(ids);
    let next = Arc::new(AtomicU64::new(0));
    for clients in [1, 64] {
        let print = |call: &str, mut latencies: Latencies| {
            println!("{what:<5} {clients:>2} clients   {call:<8} {}", latencies.line(TIME));
        };
        let some = {
            let (ids, next) = (Arc::clone(&ids), Arc::clone(&next));
            move || ids[next.fetch_add(7919, Ordering::Relaxed) as usize % ids.len()].clone()
        };
        let own = client.clone();
        print(
            "submit",
            measure(clients, TIME, move || {
                let client = own.clone();
                async move { drop(client.submit(&job(), false).await.expect("an accepted job")) }
            })
            .await,
        );
        let (own, any) = (client.clone(), some.clone());
        print(
            "get",
            measure(clients, TIME, move || {
                let (client, id) = (own.clone(), any());
                async move { drop(client.job(&id, "executions").await.expect("a job")) }
            })
            .await,
        );
        let own = client.clone();
        print(
            "list",
            measure(clients, TIME, move || {
                let client = own.clone();
                async move { drop(client.jobs("team=bench", 10, "").await.expect("a list")) }
            })
            .await,
        );
        let (own, any) = (client.clone(), some);
        print(
            "history",
            measure(clients, TIME, move || {
                let (client, id) = (own.clone(), any());
                async move { drop(client.history(&id, false, "").await.expect("a history")) }
            })
            .await,
        );
        let (mut latencies, over) = followed(client, clients).await;
        println!("{what:<5} {clients:>2} followers events   {}", latencies.line(over));
    }
}

/// From before a submission to when each follower has its first event.
async fn followed(client: &Client, followers: usize) -> (Latencies, Duration) {
    let (seen, mut arrivals) = mpsc::unbounded_channel();
    let mut following = JoinSet::new();
    for _ in 0..followers {
        let mut events = client.events(None, 0).await.expect("a stream");
        let seen = seen.clone();
        following.spawn(async move {
            while let Ok(event) = events.next().await {
                if event.entry.seq_num == 1 && seen.send((event.entry.job_id, Instant::now())).is_err() {
                    return;
                }
            }
        });
    }
    let start = Instant::now();
    let mut latencies = Latencies::default();
    for _ in 0..FOLLOWED {
        let begun = Instant::now();
        let id = client.submit(&job(), false).await.expect("an accepted job").job_id;
        for _ in 0..followers {
            let (job, at) = arrivals.recv().await.expect("an event");
            assert_eq!(job, id, "one job at a time");
            latencies.add(at - begun);
        }
    }
    let over = start.elapsed();
    following.abort_all();
    (latencies, over)
}

#[expect(clippy::print_stdout, reason = "figures are what a benchmark is for")]
fn main() {
    if support::be_the_server() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (what, encrypted) in [("HTTP", false), ("HTTPS", true)] {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Server::start(directory.path(), encrypted);
        runtime.block_on(figures(&server.client, what));
        println!("{what:<5} memory of the server, at most {} MiB", server.peak_memory_mib());
    }
}
