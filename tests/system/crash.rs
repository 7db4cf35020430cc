//! Killed without warning: nothing acknowledged is lost, nothing runs twice, and what is said is true.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use skrei_job::life::JobState;
use skrei_protocol::{
    api::{execution::compute_state, job::GetJobResponse},
    client::Client,
};
use tokio::{sync::Mutex, task::JoinSet};

use super::harness::{JobFile, Node, Orchestrator, wait_for_end};

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_job_of_a_burst_ends_once_though_the_orchestrator_is_killed_in_it() {
    let mut orchestrator = Orchestrator::start(&[]);
    let node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "batch", skrei_test_guests::append(), &[]).await.mounted(true);
    let acknowledged = Acknowledged::default();
    let mut burst = JoinSet::new();
    for number in 0..200 {
        let file = [format!("/out/{number}")];
        let job = job.clone().with("/Tasks/0/Engine/Params/Parameters", json!(file));
        burst.spawn(submit(client.clone(), number, job, Arc::clone(&acknowledged)));
        if number == 120 {
            while acknowledged.lock().await.len() < 60 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            orchestrator.kill();
        }
    }
    burst.detach_all();
    orchestrator.start_again();
    orchestrator.wait_for_nodes(1).await;

    let acknowledged = acknowledged.lock().await.clone();
    assert!(acknowledged.len() >= 60);
    for (number, id) in acknowledged {
        let job = wait_for_end(&client, &id).await;
        assert_eq!(job.job.state.state_type, JobState::Completed, "{job:#?}\n{}", node.log());
        assert_eq!(states(&job), [compute_state::COMPLETED], "one execution each");
        assert_history_is_whole(&job);
        let ran = std::fs::read_to_string(node.served().join(number.to_string())).unwrap_or_default();
        assert_eq!(ran, "ran\n", "job {number} ran once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_on_a_node_that_is_killed_and_stays_away_fails_and_says_so() {
    let (orchestrator, mut node, id) =
        sleeping(&["Orchestrator.NodeManager.DisconnectTimeout=2s"], "60000").await;
    let client = orchestrator.client();

    node.kill();
    let job = wait_for_end(&client, &id).await;
    assert_eq!(job.job.state.state_type, JobState::Failed);
    assert!(job.job.state.message.contains("not heard from"), "{}", job.job.state.message);
    let execution = &job.executions.as_ref().unwrap().items[0];
    assert_eq!(execution.compute_state.state_type, compute_state::FAILED);
    assert_eq!(execution.compute_state.details["Cause"], "NodeLost");
    assert_history_is_whole(&job);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_and_comes_back_reports_what_it_was_running_as_interrupted() {
    let (orchestrator, mut node, id) = sleeping(&[], "60000").await;
    let client = orchestrator.client();

    node.kill();
    node.start_again();
    let job = wait_for_end(&client, &id).await;
    assert_eq!(job.job.state.state_type, JobState::Failed, "{job:#?}");
    let execution = &job.executions.as_ref().unwrap().items[0];
    assert_eq!(execution.compute_state.details["Cause"], "Interrupted");
    assert_history_is_whole(&job);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_runs_on_while_the_orchestrator_is_away_and_its_outcome_arrives() {
    let (mut orchestrator, _node, id) = sleeping(&[], "1500").await;
    let client = orchestrator.client();

    orchestrator.kill();
    tokio::time::sleep(Duration::from_millis(2000)).await;
    orchestrator.start_again();
    let job = wait_for_end(&client, &id).await;
    assert_eq!(job.job.state.state_type, JobState::Completed, "{job:#?}");
    assert_eq!(job.executions.as_ref().unwrap().items[0].run_output.as_ref().unwrap().stdout, "awake\n");
}

type Acknowledged = Arc<Mutex<Vec<(u32, String)>>>;

/// Submits a job and notes that it was acknowledged. One whose submission is cut off may or may not have been
/// stored: nothing was promised.
async fn submit(client: Client, number: u32, job: JobFile, acknowledged: Acknowledged) {
    if let Ok(accepted) = client.submit(&job.manifest(), false).await {
        acknowledged.lock().await.push((number, accepted.job_id));
    }
}

/// An orchestrator, a node, and a job on it whose guest has begun to sleep for so many milliseconds.
async fn sleeping(settings: &[&str], millis: &str) -> (Orchestrator, Node, String) {
    let orchestrator = Orchestrator::start(settings);
    let node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &[millis]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    running(&orchestrator, &id).await;
    (orchestrator, node, id)
}

/// Waits until the job's only execution runs.
async fn running(orchestrator: &Orchestrator, job: &str) {
    let client = orchestrator.client();
    let mut events = client.events(Some(job), 0).await.unwrap();
    let run = async {
        loop {
            let entry = events.next().await.unwrap().entry;
            if entry.event.topic == "Execution" && entry.event.message == "Running" {
                return;
            }
        }
    };
    tokio::time::timeout(super::harness::PATIENCE, run).await.expect("the execution runs");
}

fn states(job: &GetJobResponse) -> Vec<u8> {
    job.executions
        .iter()
        .flat_map(|list| &list.items)
        .map(|execution| execution.compute_state.state_type)
        .collect()
}

fn assert_history_is_whole(job: &GetJobResponse) {
    let entries = &job.history.as_ref().expect("the history").items;
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq_num).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{entries:#?}");
    let ends = entries.iter().filter_map(|entry| entry.event.detail("NewState"));
    let ends: Vec<_> = ends.filter(|state| matches!(*state, "Completed" | "Failed" | "Stopped")).collect();
    assert_eq!(ends.len(), 1, "a job ends once: {entries:#?}");
}
