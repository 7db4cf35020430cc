//! What a restart of the orchestrator keeps: everything that was answered.

use super::harness::{Orchestrator, completed, job};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_history_and_assignments_are_there_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let mut named = job("ops");
    named.name = "certs".to_owned();
    let done = orchestrator.submit(&named).await;
    let assignment = node.assignment().await;
    node.report(&assignment.execution, completed("first")).await;
    orchestrator.wait_for_state(&done, "Completed").await;
    let before = orchestrator.client.job("certs", "executions,history").await.unwrap();
    let open = orchestrator.submit(&job("ops")).await;
    let assigned = node.assignment().await.execution;
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    let after = orchestrator.client.job("certs", "executions,history").await.unwrap();
    assert_eq!(after, before);
    let mut node = orchestrator.node("a").await;
    assert_eq!(node.assignment().await.execution, assigned, "the same attempt, not another");
    node.report(&assigned, completed("second")).await;
    orchestrator.wait_for_state(&open, "Completed").await;
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_goes_on_where_it_was_after_a_restart_it_did_not_see() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let id = orchestrator.submit(&job("batch")).await;
    let mut events = orchestrator.client.events(Some(&id), 0).await.unwrap();
    let first = events.next().await.unwrap();
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    let mut rest = orchestrator.client.events(Some(&id), first.position).await.unwrap();
    assert_eq!(rest.next().await.unwrap().entry.seq_num, first.entry.seq_num + 1);
}
