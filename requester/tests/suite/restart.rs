//! What a restart of the orchestrator keeps: everything that was answered.

use skrei_ledger::rusqlite::Connection;
use skrei_protocol::{api::error::Code, client::Error};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_cannot_be_written_for_a_while_refuses_jobs_and_then_serves_again() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let node = orchestrator.node("a").await;
    let blocker = Connection::open(directory.path().join("orchestrator.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Twice: what was decided after the first failure must not count either.
    for _ in 0..2 {
        let refused = orchestrator.client.submit(&job("ops"), false).await.unwrap_err();
        assert!(matches!(&refused, Error::Api(body) if body.code == Code::ServiceUnavailable), "{refused}");
    }
    blocker.execute_batch("ROLLBACK").unwrap();
    drop(node);

    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let assignment = node.assignment().await;
    assert_eq!(assignment.job.as_str(), id, "nothing of the refused jobs is left");
    node.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
}
