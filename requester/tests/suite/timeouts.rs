//! Timeouts fire when they are due, whatever happened in between.

use std::time::Duration;

use skrei_job::Manifest;

use super::harness::{Orchestrator, job};

/// As late as a timeout may fire.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Jobs of each kind. They are due at different moments: a machine that is busy at one may be late with that one.
const JOBS: usize = 5;

/// Timeouts are set in whole seconds.
const SECONDS: i64 = 2;

/// How late each of these jobs ended.
async fn late(orchestrator: &Orchestrator, jobs: &[String], why: &str) -> Vec<Duration> {
    let mut late = Vec::new();
    for id in jobs {
        orchestrator.wait_for_state(id, "Failed").await;
        let job = orchestrator.client.job(id, "").await.unwrap().job;
        assert!(job.state.message.contains(why), "{}", job.state.message);
        let lived = job.modify_time - job.create_time - SECONDS * 1_000_000_000;
        late.push(Duration::from_nanos(u64::try_from(lived).expect("none fires early")));
    }
    late
}

#[tokio::test(flavor = "multi_thread")]
async fn queue_and_total_timeouts_fire_when_they_are_due_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    for restarts in [false, true] {
        let mut orchestrator = Orchestrator::start(&directory).await;
        let node = orchestrator.node("a").await;
        let mut waits: Manifest = job("ops");
        let zone = serde_json::json!({"Key": "zone", "Operator": "=", "Values": ["x"]});
        waits.constraints = vec![serde_json::from_value(zone).unwrap()];
        waits.tasks[0].timeouts.queue_timeout = SECONDS;
        let mut runs = job("ops");
        runs.tasks[0].timeouts.total_timeout = SECONDS;
        let (mut queued, mut running) = (Vec::new(), Vec::new());
        for _ in 0..JOBS {
            queued.push(orchestrator.submit(&waits).await);
            running.push(orchestrator.submit(&runs).await);
            tokio::time::sleep(LATE_MAX).await;
        }
        if restarts {
            drop(node);
            orchestrator.stop().await;
            orchestrator = Orchestrator::start(&directory).await;
        }
        for (jobs, why) in [(queued, "queue timeout of 2 s"), (running, "total timeout of 2 s")] {
            let late = late(&orchestrator, &jobs, why).await;
            let least = late.iter().min().copied().unwrap_or_default();
            assert!(least < LATE_MAX, "{why}, restarted: {restarts}: {late:?}");
        }
        orchestrator.stop().await;
    }
}
