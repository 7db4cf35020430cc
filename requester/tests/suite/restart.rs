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

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_ended_are_removed_beyond_the_number_that_is_kept_and_followers_are_told_of_the_gap() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        // Nothing to run: it ends at once.
        ids.push(orchestrator.submit(&skrei_job::Manifest { count: Some(0), ..job("batch") }).await);
    }
    let mut waits = job("batch");
    waits.tasks[0].timeouts.queue_timeout = 3600;
    let waiting = orchestrator.submit(&waits).await;
    let first = orchestrator.client.events(Some(&ids[0]), 0).await.unwrap().next().await.unwrap().position;
    orchestrator.stop().await;

    let keep = skrei_requester::Keep { jobs: Some(2), age: None };
    let config = skrei_requester::Config::new(skrei_job::NodeId::new("orchestrator"), directory.path());
    let orchestrator = Orchestrator::start_as(skrei_requester::Config { keep, ..config }).await;
    let left = async {
        loop {
            let page = orchestrator.client.jobs("", 100, "").await.unwrap();
            if page.items.len() == 3 {
                return page.items;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let left = tokio::time::timeout(super::harness::PATIENCE, left).await.expect("jobs are removed");
    let left: Vec<_> = left.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(left, [&waiting, &ids[5], &ids[4]], "the two that ended last, and what goes on");
    assert!(orchestrator.client.job(&ids[0], "").await.is_err());
    let request = orchestrator.request(reqwest::Method::GET, "/orchestrator/events");
    let mut stream = request.header("Last-Event-ID", first.to_string()).send().await.unwrap();
    let chunk = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(chunk.starts_with("event: gap\n") && chunk.contains(&format!("\"After\":{first}")), "{chunk}");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_narrowed_to_a_node_or_to_jobs() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let (mut one, mut other) = (orchestrator.node("one").await, orchestrator.node("other").await);
    let id = orchestrator.submit(&job("ops")).await;
    for node in [&mut one, &mut other] {
        let execution = node.assignment().await.execution;
        node.report(&execution, completed("")).await;
    }
    orchestrator.wait_for_state(&id, "Completed").await;
    let read = async |query: &str, until: usize| {
        let request =
            orchestrator.request(reqwest::Method::GET, &format!("/orchestrator/events?job={id}&{query}"));
        let mut stream = request.send().await.unwrap();
        let mut text = String::new();
        while text.matches("data: ").count() < until {
            text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
        }
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str::<serde_json::Value>(data).unwrap()).collect::<Vec<_>>()
    };
    let of_one = read("node=one", 2).await;
    assert!(of_one.iter().all(|event| event["Event"]["Details"]["NodeID"] == "one"), "{of_one:#?}");
    let of_jobs = read("level=job", 3).await;
    assert!(of_jobs.iter().all(|event| event["Type"] == "JobLevel"), "{of_jobs:#?}");
    orchestrator.stop().await;
}
