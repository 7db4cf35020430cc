//! Removes jobs that ended long ago, by their number and by their age, a few at a time.

use std::{sync::Arc, time::Duration};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    clock,
    decide::Command,
    orchestrator::Orchestrator,
    store::{Error, Removable},
};

/// How long a job may outstay its time.
const INTERVAL: Duration = Duration::from_secs(60);

/// Jobs removed in one change: a millisecond or two, in which nobody else can write.
const STEP_JOBS: usize = 20;

/// Between two steps everybody else has the disk.
const STEP_PAUSE: Duration = Duration::from_millis(10);

/// Runs until shutdown.
pub(crate) async fn run(orchestrator: Arc<Orchestrator>, shutdown: CancellationToken) {
    let keep = orchestrator.config.keep;
    if keep.jobs.is_none() && keep.age.is_none() {
        return;
    }
    let sweeping = async {
        loop {
            match sweep(&orchestrator).await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "jobs that ended long ago were removed"),
                Err(error) => tracing::warn!(%error, "jobs that ended long ago cannot be removed for now"),
            }
            tokio::time::sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        () = sweeping => {}
        () = shutdown.cancelled() => {}
    }
}

/// Removes whatever the rules say. Returns how many that were.
async fn sweep(orchestrator: &Orchestrator) -> Result<usize, Error> {
    let (store, keep) = (&orchestrator.store, orchestrator.config.keep);
    let mut all = 0;
    // Counted once: what ends meanwhile is beyond the number in the next sweep.
    let mut beyond = match keep.jobs {
        Some(kept) => store.ended().await?.saturating_sub(kept),
        None => 0,
    };
    // Those that the scheduler still remembers are removed another time, and are in nobody's way until then.
    let mut passed_over = 0;
    loop {
        let before = keep.age.map(|age| clock::now().before(age));
        let found = store.removable(before, beyond, passed_over, STEP_JOBS).await?;
        if found.is_empty() {
            return Ok(all);
        }
        let looked_at = found.len();
        let found = forgotten(orchestrator, found).await;
        for job in &found {
            // First: without its job nobody would find them again.
            orchestrator.results.remove_of(&job.id).await?;
        }
        let jobs: Vec<_> = found.iter().map(|job| job.id.clone()).collect();
        let removed = store.remove(found).await?;
        orchestrator.feed.removed(&jobs);
        all += removed;
        beyond = beyond.saturating_sub(removed as u64);
        passed_over += looked_at.saturating_sub(removed) as u64;
        tokio::time::sleep(STEP_PAUSE).await;
    }
}

/// Those that the scheduler does not remember: it may still hear of the others from a node that was away.
async fn forgotten(orchestrator: &Orchestrator, jobs: Vec<Removable>) -> Vec<Removable> {
    let (reply, answer) = oneshot::channel();
    if jobs.is_empty() || orchestrator.commands.send(Command::Forgotten { jobs, reply }).await.is_err() {
        return Vec::new();
    }
    answer.await.unwrap_or_default()
}
