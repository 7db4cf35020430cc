//! How fast decisions are: `cargo bench -p skrei-scheduler`. Items are placements, or events.

use std::{sync::Arc, time::Duration};

use divan::{Bencher, counter::ItemsCount};
use skrei_job::{
    ExecutionId, JobId, Manifest, NodeId, Spec, Timestamp, life::ExecutionState, outcome::RunOutput,
};
use skrei_scheduler::{Config, Event, Membership, NodeInfo, Record, Scheduler};

fn main() {
    divan::main();
}

/// One ops job on every node of a fleet.
#[divan::bench(args = [100, 1_000, 10_000])]
fn ops_job_over_nodes(bencher: Bencher<'_, '_>, nodes: u32) {
    let spec = spec("ops", 1);
    bencher.counter(ItemsCount::new(nodes)).with_inputs(|| fleet(nodes, 64_000)).bench_local_values(
        |mut scheduler| {
            let decision = scheduler.handle(submitted(1, &spec), at(1));
            (decision, scheduler)
        },
    );
}

/// A thousand batch jobs of one partition each, one after another, over a fleet with room for all.
#[divan::bench(args = [100, 1_000, 10_000])]
fn thousand_batch_jobs_over_nodes(bencher: Bencher<'_, '_>, nodes: u32) {
    let spec = spec("batch", 1);
    bencher.counter(ItemsCount::new(1_000_u32)).with_inputs(|| fleet(nodes, 64_000)).bench_local_values(
        |mut scheduler| {
            for job in 0..1_000 {
                divan::black_box(scheduler.handle(submitted(job, &spec), at(1)));
            }
            scheduler
        },
    );
}

/// A thousand jobs, each submitted, started and completed, while this many others go on over 1,000 nodes.
#[divan::bench(args = [0, 1_000, 10_000])]
fn three_thousand_events_beside_live_jobs(bencher: Bencher<'_, '_>, live: u64) {
    lives(bencher, live, 64_000);
}

/// The same while no node has room: each end lets the first in line in.
#[divan::bench(args = [3_000, 10_000])]
fn three_thousand_events_with_full_nodes(bencher: Bencher<'_, '_>, live: u64) {
    lives(bencher, live, 1_000);
}

fn lives(bencher: Bencher<'_, '_>, live: u64, cpu_millis: u64) {
    let spec = spec("batch", 1);
    bencher
        .counter(ItemsCount::new(3_000_u32))
        .with_inputs(|| {
            let mut scheduler = fleet(1_000, cpu_millis);
            let mut placed = Vec::new();
            for job in 0..live {
                let decision = scheduler.handle(submitted(job, &spec), at(1));
                placed.extend(assigned(&decision.records));
            }
            (scheduler, placed)
        })
        .bench_local_values(|(mut scheduler, mut placed)| {
            for job in live..live + 1_000 {
                let decision = scheduler.handle(submitted(job, &spec), at(2));
                placed.extend(assigned(&decision.records));
                let Some((execution, node)) = placed.pop() else { continue };
                let started = Event::ExecutionStarted { execution: execution.clone(), node: node.clone() };
                scheduler.handle(started, at(3));
                let state = ExecutionState::Completed(RunOutput::default());
                let ended = scheduler.handle(Event::ExecutionEnded { execution, node, state }, at(4));
                placed.extend(assigned(&ended.records));
            }
            (scheduler, placed)
        });
}

fn assigned(records: &[Record]) -> Vec<(ExecutionId, NodeId)> {
    let assigned = records.iter().filter_map(|record| match record {
        Record::ExecutionChanged(execution) if execution.state == ExecutionState::Assigned => {
            Some((execution.id.clone(), execution.node.clone()))
        }
        _ => None,
    });
    assigned.collect()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::default().after(Duration::from_secs(seconds))
}

fn submitted(job: u64, spec: &Arc<Spec>) -> Event {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&job.to_be_bytes());
    Event::JobSubmitted { job: JobId::from_random(id), spec: spec.clone() }
}

fn fleet(nodes: u32, cpu_millis: u64) -> Scheduler {
    let mut scheduler = Scheduler::new(Config::default());
    for number in 0..nodes {
        let node = NodeInfo {
            id: NodeId::new(format!("node-{number}")),
            labels: [("zone".to_owned(), "a".to_owned())].into(),
            engines: ["wasm".to_owned()].into(),
            capacity: skrei_job::resources::Resources {
                cpu_millis,
                memory_bytes: 1 << 50,
                disk_bytes: 1 << 50,
                gpus: 0,
            },
            membership: Membership::Approved,
        };
        scheduler.handle(Event::NodeConnected { node, holds: Vec::new() }, at(0));
    }
    scheduler
}

fn spec(kind: &str, count: i64) -> Arc<Spec> {
    let text = format!(
        r#"{{"Name": "bench", "Type": "{kind}", {count}
            "Constraints": [{{"Key": "zone", "Operator": "=", "Values": ["a"]}}],
            "Tasks": [{{"Name": "main", "Engine": {{"Type": "wasm", "Params": {{"EntryModule": "/main.wasm"}}}},
                "Resources": {{"CPU": "500m"}},
                "InputSources": [{{"Target": "/main.wasm", "Source": {{"Type": "inline",
                    "Params": {{"URL": "data:application/wasm;base64,AGFzbQEAAAA="}}}}}}]}}]}}"#,
        count = if kind == "batch" { format!("\"Count\": {count},") } else { String::new() },
    );
    let manifest: Manifest = serde_json::from_str(&text).expect("the bench's job file is right");
    Arc::new(Spec::try_from(manifest).expect("the bench's job file is right"))
}
