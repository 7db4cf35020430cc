//! From what is stored to what the API shows.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use skrei_job::{ExecutionId, life, resources};
use skrei_protocol::api::{
    execution::{Execution, PublishedResult},
    history::{Event, HistoryEntry, Level},
    job::{HELD_BY, Job, State},
    resources::Resources,
    rollout::Progress,
    time::rfc3339,
};
use skrei_scheduler::{Phase, Tally, history::Entry};

use super::{Api, gate};
use crate::store::StoredJob;

pub(super) fn job(api: &Api, stored: StoredJob) -> Job {
    let mut manifest = stored.manifest;
    // One on every node: a number that says nothing, and a number all the same.
    manifest.count.get_or_insert(0);
    manifest.meta.extend(HELD_BY.map(|name| (name.to_owned(), api.orchestrator.node().to_string())));
    Job {
        id: stored.id.to_string(),
        manifest,
        state: State { state_type: stored.state, message: stored.message },
        version: stored.version,
        revision: stored.revision,
        create_time: stored.created.as_nanos(),
        modify_time: stored.modified.as_nanos(),
    }
}

/// `results` are those that are held.
pub(super) fn executions(
    job: &StoredJob,
    executions: &[life::Execution],
    results: &BTreeMap<ExecutionId, PublishedResult>,
) -> Vec<Execution> {
    let task = job.manifest.tasks.first();
    let name = task.map_or("main", |task| task.name.as_str());
    let amounts = task.map_or_else(Resources::default, |task| {
        let written = &task.resources;
        Resources::from(resources::Resources {
            cpu_millis: resources::parse_cpu(&written.cpu).unwrap_or(0),
            memory_bytes: resources::parse_bytes(&written.memory).unwrap_or(0),
            disk_bytes: resources::parse_bytes(&written.disk).unwrap_or(0),
            gpus: resources::parse_gpus(&written.gpu).unwrap_or(0),
        })
    });
    let namespace = &job.manifest.namespace;
    let shown = |execution: &life::Execution| Execution {
        published_result: results.get(&execution.id).cloned().unwrap_or_default(),
        ..Execution::new(execution, namespace, name, amounts)
    };
    executions.iter().map(shown).collect()
}

/// Of the latest version, whose executions these are.
pub(super) fn progress(stored: StoredJob, executions: &[life::Execution]) -> Progress {
    let Some(job) = stored.into_job() else { return Progress::default() };
    let tally = Tally::of(job.spec.kind(), executions, &job.progress);
    let (reason, until) = match &job.progress.phase {
        Phase::Halted { why, .. } => (why.clone(), None),
        Phase::Pause { until } => ("a pause between two steps".to_owned(), Some(until.as_nanos())),
        Phase::Canary => ("the canaries go first".to_owned(), None),
        Phase::Aborted => ("it was aborted".to_owned(), None),
        Phase::Going => Default::default(),
    };
    Progress {
        phase: job.progress.phase.as_str().to_owned(),
        reason,
        until,
        done: tally.done,
        running: tally.going_on,
        failed: tally.failed,
        refused: tally.refused,
        waiting: tally.waiting,
        missed: tally.missed,
        nodes: tally.reasons.into_iter().map(|(node, why)| (node.to_string(), why)).collect(),
    }
}

/// For a client that sent these headers.
pub(super) fn entries(entries: &[Entry], headers: &HeaderMap) -> Vec<HistoryEntry> {
    let shown = entries.iter().map(entry);
    match gate::is_older_client(headers) {
        true => shown.map(HistoryEntry::for_older_clients).collect(),
        false => shown.collect(),
    }
}

pub(super) fn entry(entry: &Entry) -> HistoryEntry {
    let time = rfc3339(entry.at);
    HistoryEntry {
        seq_num: entry.number,
        kind: if entry.execution.is_some() { Level::Execution } else { Level::Job },
        job_id: entry.job.to_string(),
        job_version: entry.version,
        execution_id: entry.execution.as_ref().map(ToString::to_string).unwrap_or_default(),
        event: Event {
            message: entry.message.clone(),
            topic: entry.topic.as_str().to_owned(),
            timestamp: time.clone(),
            details: entry.details.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        },
        time,
        job_state: None,
        execution_state: None,
    }
}
