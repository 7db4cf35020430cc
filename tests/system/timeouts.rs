//! A guest that is out of time is stopped when it is, whatever happens to the orchestrator meanwhile.

use std::time::Duration;

use serde_json::json;
use skrei_protocol::api::{
    execution::{Execution, compute_state},
    history::Level,
    job::GetJobResponse,
    time,
};

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, wait_for_end};

/// As late as a timeout may fire.
const LATE_MAX: Duration = Duration::from_millis(100);

/// Guests of each kind: a machine that is busy at one moment may be late with the one that is due then.
const JOBS: usize = 5;

/// Timeouts are set in whole seconds. Long enough for a node to be linked again before they are due.
const SECONDS: u64 = 6;

/// How much less than its time a guest may seem to have had: what it says of its start comes later than that.
const SHORT_MAX: Duration = Duration::from_secs(2);

/// How long a guest ran, by what is told of it.
fn lived(job: &GetJobResponse, execution: &Execution) -> Duration {
    let mut entries = job.history.iter().flat_map(|list| &list.items);
    let started = entries.find(|entry| entry.kind == Level::Execution && entry.event.message == "Running");
    let started = time::parse(&started.expect("it ran").event.timestamp).expect("a time");
    Duration::from_nanos((execution.modify_time - started.as_nanos()).cast_unsigned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_timeout_fires_when_it_is_due_also_after_a_restart_of_the_orchestrator() {
    for restarts in [false, true] {
        let mut orchestrator = Orchestrator::start(&[]);
        let _node = Node::start(&orchestrator, "worker", "rw");
        orchestrator.wait_for_nodes(1).await;
        let client = orchestrator.client();
        // Those that compute, and those that wait.
        let spins = JobFile::new(&client, "ops", skrei_test_guests::spin(), &[]).await;
        let sleeps = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["600000"]).await;
        let mut jobs = Vec::new();
        for number in 0..JOBS {
            let kind = if number % 2 == 0 { &spins } else { &sleeps };
            let job = kind.clone().with("/Tasks/0/Timeouts", json!({"ExecutionTimeout": SECONDS}));
            jobs.push(client.submit(&job.manifest(), true).await.unwrap().job_id);
            tokio::time::sleep(LATE_MAX).await;
        }
        if restarts {
            let all_run = async {
                for id in &jobs {
                    while client.executions(id).await.unwrap().items[0].compute_state.state_type
                        != compute_state::RUNNING
                    {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            };
            tokio::time::timeout(PATIENCE, all_run).await.expect("all of them run");
            orchestrator.kill();
            orchestrator.start_again();
        }
        let mut all = Vec::new();
        for id in &jobs {
            let job = wait_for_end(&client, id).await;
            assert_eq!(job.job.state.state_type.as_str(), "Failed");
            let execution = &job.executions.as_ref().unwrap().items[0];
            let state = &execution.compute_state;
            assert_eq!(state.details["Cause"], "Timeout", "{state:?}");
            assert_eq!(state.message, format!("the guest ran longer than {SECONDS}s"));
            all.push(lived(&job, execution));
        }
        let time = Duration::from_secs(SECONDS);
        assert!(all.iter().all(|lived| *lived + SHORT_MAX > time), "too early: {all:?}");
        let late: Vec<_> = all.iter().map(|lived| lived.saturating_sub(time)).collect();
        eprintln!("execution timeouts, restarted: {restarts}: late by {late:?}");
        for (kind, first) in [("computes", 0), ("waits", 1)] {
            let least = late.iter().skip(first).step_by(2).min().copied().unwrap_or_default();
            assert!(least < LATE_MAX, "what {kind}, restarted: {restarts}: {late:?}");
        }
    }
}
