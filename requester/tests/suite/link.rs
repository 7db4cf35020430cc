//! The node link: who may join, what is repeated, what is refused.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use skrei_job::{Manifest, Timestamp, life::ExecutionState};
use skrei_ledger::rusqlite::Connection;
use skrei_protocol::client::{LogQuery, Logs};
use skrei_protocol::link::{
    ARTIFACTS_PATH, FromNode, Hello, Load, LogChunk, LogPage, LogPiece, PROTOCOL, Report, Stream, ToNode,
};

use tokio_tungstenite::tungstenite::Message;

use super::harness::{Node, Orchestrator, PATIENCE, completed, hello, job, known};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_protocol_or_name_is_turned_away_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let cases = [
        (Hello { protocol: "skrei/0".to_owned(), ..hello("a") }, PROTOCOL, "same version"),
        (
            Hello { version: "0.9.1".to_owned(), ..hello("a") },
            "more than one minor version apart",
            "upgrade in steps",
        ),
        (
            Hello { version: "new".to_owned(), ..hello("a") },
            "more than one minor version apart",
            "upgrade in steps",
        ),
        (hello("b"), "calls itself `b`, and its certificate `a`", "keeps its name"),
    ];
    for (hello, cause, way_out) in cases {
        let mut node = orchestrator.dial_as("a").await;
        node.say(FromNode::Hello(hello)).await;
        let ToNode::Rejected { message, hint } = node.hear().await else { panic!("let in") };
        assert!(message.contains(cause) && hint.contains(way_out), "{message} / {hint}");
    }
    assert!(orchestrator.client.nodes("").await.unwrap().is_empty());
    let mut node = orchestrator.dial_as("a").await;
    node.say(FromNode::Hello(hello("a"))).await;
    assert!(matches!(node.hear().await, ToNode::Welcome(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_is_told_its_assignment_again_and_repeated_reports_count_once() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let first = node.assignment().await;
    drop(node);

    let mut node = orchestrator.node("a").await;
    let again = node.assignment().await;
    assert_eq!(again.execution, first.execution);
    node.report(&again.execution, completed("once")).await;
    node.report(&again.execution, completed("once")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    let job = orchestrator.client.job(&id, "executions,history").await.unwrap();
    assert_eq!(job.executions.unwrap().items.len(), 1);
    let history = job.history.unwrap().items;
    let ends = history.iter().filter(|entry| entry.event.message.starts_with("Completed")).count();
    assert_eq!(ends, 2, "once for the execution, once for the job: {history:#?}");
}

/// More than a connection's buffers hold is on its way to a node that reads nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_reads_nothing_keeps_nobody_from_cutting_it_off() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let stuck = orchestrator.node("a").await;
    let mut large = job("ops");
    large.tasks[0].env.insert("LARGE".to_owned(), "x".repeat(1 << 20));
    for number in 0..24 {
        large.name = format!("large-{number}");
        orchestrator.submit(&large).await;
    }
    orchestrator.order("a", "reject").await.unwrap();
    let gone = async {
        loop {
            let node = orchestrator.client.node("a").await.unwrap();
            if node.connection == "DISCONNECTED" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // It was asked to leave for five seconds at most.
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
    drop(stuck);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_may_fetch_nothing_more_for_an_execution_whose_end_overtook_its_assignment() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let content = orchestrator.client.ensure_artifact(Bytes::from_static(b"input")).await.unwrap();
    let mut needs = job("ops");
    let params = json!({"Digest": content.digest, "Size": content.size});
    let input = json!({"Source": {"Type": "artifact", "Params": params}, "Target": "/in"});
    needs.tasks[0].input_sources.push(serde_json::from_value(input).unwrap());
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&needs).await;
    let execution = node.assignment().await.execution;
    let requests = orchestrator.requests(known(&orchestrator.identity("a").await));
    let url = orchestrator.url(&format!("{ARTIFACTS_PATH}/{}", content.digest.hex()));
    assert_eq!(requests.get(&url).send().await.unwrap().status(), 200);
    drop(node);

    // The node is back and told again, but that has to wait for the disk; the end comes in meanwhile.
    let blocker = Connection::open(directory.path().join("orchestrator.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut node = orchestrator.dial_as("a").await;
    node.say(FromNode::Hello(Hello { holds: vec![execution.clone()], ..hello("a") })).await;
    assert!(matches!(node.hear().await, ToNode::Welcome(_)));
    node.say(FromNode::Report(Report { number: 1, execution, state: completed("") })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    blocker.execute_batch("ROLLBACK").unwrap();
    orchestrator.wait_for_state(&id, "Completed").await;
    assert_eq!(requests.get(&url).send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_read_from_the_node_at_the_pace_of_the_reader() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let (mut node, mut log) = followed(&orchestrator).await;
    for (from, text, end) in [(0, "one\ntwo\n", false), (8, "three\n", true)] {
        let ToNode::ReadLog(read) = node.hear().await else { panic!("not a read") };
        assert_eq!((read.from, read.wait), (from, true));
        let pieces = vec![LogPiece { stream: Stream::Out, at: None, text: text.to_owned() }];
        let chunk = LogChunk { pieces, next: from + text.len() as u64, end };
        node.say(FromNode::Log(LogPage { request: read.request, result: Ok(chunk) })).await;
    }
    let mut lines = Vec::new();
    while let Some(line) = log.next().await.unwrap() {
        lines.push(line.line);
    }
    assert_eq!(lines, ["one\n", "two\n", "three\n"], "one frame a line");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_from_a_time_on_is_chosen_by_the_node_and_says_its_times() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    node.assignment().await;
    let since = Timestamp::from_seconds(1_770_000_000);
    let query = LogQuery { follow: true, since: Some(since), ..LogQuery::default() };
    let mut log = orchestrator.client.logs(&id, &query).await.unwrap();
    // Only where it begins follows from the time; from there on nothing may be left out.
    for (from, asked, next, end) in [(0, Some(since), 40, false), (40, None, 44, true)] {
        let ToNode::ReadLog(read) = node.hear().await else { panic!("not a read") };
        assert_eq!((read.from, read.since), (from, asked));
        let at = Some(since.after(Duration::from_secs(5)));
        let pieces = vec![LogPiece { stream: Stream::Out, at, text: "new\n".to_owned() }];
        let result = Ok(LogChunk { pieces, next, end });
        node.say(FromNode::Log(LogPage { request: read.request, result })).await;
    }
    for _ in 0..2 {
        let line = log.next().await.unwrap().expect("a line of each answer");
        assert_eq!((line.line.as_str(), line.time.as_deref()), ("new\n", Some("2026-02-02T02:40:05Z")));
    }
    assert!(log.next().await.unwrap().is_none(), "and no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_keeps_no_times_is_said_to_keep_none() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    node.assignment().await;
    let query = LogQuery { since: Some(Timestamp::from_seconds(9)), ..LogQuery::default() };
    let mut log = orchestrator.client.logs(&id, &query).await.unwrap();
    let ToNode::ReadLog(read) = node.hear().await else { panic!("not a read") };
    let pieces = vec![LogPiece { stream: Stream::Out, at: None, text: "of any time\n".to_owned() }];
    let result = Ok(LogChunk { pieces, next: 12, end: true });
    node.say(FromNode::Log(LogPage { request: read.request, result })).await;
    let error = log.next().await.unwrap_err().to_string();
    assert!(error.contains("node `a` does not know when its output was written"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_hears_why_when_the_node_goes_away() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let (mut node, mut log) = followed(&orchestrator).await;
    assert!(matches!(node.hear().await, ToNode::ReadLog(_)));
    drop(node);
    let error = log.next().await.unwrap_err().to_string();
    assert!(error.contains("node `a` is not connected"), "{error}");
}

/// A node that was given a job, and somebody who follows the job's log.
async fn followed(orchestrator: &Orchestrator) -> (Node, Logs) {
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    node.assignment().await;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let log = orchestrator.client.logs(&id, &query).await.unwrap();
    (node, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_says_that_it_lives_is_answered_and_one_that_does_not_is_asked_and_then_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let silence = Duration::from_secs(2);
    let orchestrator =
        Orchestrator::start_with(directory.path(), |config| config.disconnect_timeout = silence * 2).await;
    let mut node = orchestrator.node("a").await;
    node.say(FromNode::Heartbeat(Load::default())).await;
    let answer = node.sign_of_life().await.unwrap();
    assert!(matches!(answer, Message::Pong(_)), "answered in a way that asks for no answer: {answer:?}");
    let question = node.sign_of_life().await.unwrap();
    assert!(matches!(question, Message::Ping(_)), "asked since it said nothing more: {question:?}");
    // It is there as long as it says anything, whatever that is.
    let start = Instant::now();
    while start.elapsed() < silence * 2 {
        node.say(FromNode::Heartbeat(Load::default())).await;
        assert!(node.sign_of_life().await.is_some());
        tokio::time::sleep(silence / 10).await;
    }
    assert_eq!(orchestrator.client.node("a").await.unwrap().connection, "CONNECTED");

    // One that does not read does not answer either.
    let gone = async {
        while orchestrator.client.node("a").await.unwrap().connection == "CONNECTED" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_do_well_says_so_and_is_given_nothing_until_it_does() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let says = |unwell: Option<&str>| {
        FromNode::Heartbeat(Load { unwell: unwell.map(str::to_owned), ..Load::default() })
    };
    let comes_to = async |wanted: &str| {
        let seen = async {
            while orchestrator.client.node("a").await.unwrap().unwell != wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("not `{wanted}`"));
    };
    node.say(says(Some("its disk is full"))).await;
    comes_to("its disk is full").await;
    let mut waits = Manifest { count: Some(1), ..job("batch") };
    waits.tasks[0].timeouts.queue_timeout = 600;
    let id = orchestrator.submit(&waits).await;
    let state = orchestrator.client.job(&id, "").await.unwrap().job.state;
    assert_eq!(state.state_type.as_str(), "Queued");
    assert!(state.message.contains("unwell: its disk is full"), "{}", state.message);
    node.say(says(None)).await;
    comes_to("").await;
    assert_eq!(node.assignment().await.job.as_str(), id);
    node.say(says(Some(&"long".repeat(1000)))).await;
    comes_to(&"long".repeat(125)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_whether_it_said_before_that_an_execution_runs() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    orchestrator.submit(&job("ops")).await;
    let first = node.assignment().await;
    assert!(!first.started);
    drop(node);
    let mut node = orchestrator.node("a").await;
    assert!(!node.assignment().await.started, "it may never have heard of it");
    node.report(&first.execution, ExecutionState::Running).await;
    drop(node);
    let again = orchestrator.node("a").await.assignment().await;
    assert_eq!((again.execution, again.started), (first.execution, true));
}
