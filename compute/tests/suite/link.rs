//! How a node keeps its link to the orchestrator.

use std::time::Duration;

use skrei_compute::{Config, Error, serve};
use skrei_job::{ExecutionId, NodeId, Timestamp, life::ExecutionState, resources::Resources};
use skrei_protocol::link::{PROTOCOL, ReadLog, Stream};
use skrei_test_guests as guests;
use tokio_util::sync::CancellationToken;

use crate::support::{Orchestrator, TestNode, job};

#[tokio::test]
async fn an_assignment_runs_once_and_is_reported_until_acknowledged() {
    let mut orchestrator = Orchestrator::start().await;
    let noop = job(&[orchestrator.holds(guests::noop(), "/main.wasm")], &[]);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let hello = session.hello.clone().unwrap();
    assert_eq!(hello.protocol, PROTOCOL);
    for _ in 0..3 {
        session.assign("e-1", &noop).await;
    }
    let running = session.report().await;
    assert_eq!(running.state, ExecutionState::Running);
    let ended = session.report().await;
    assert_eq!(ended.number, running.number + 1);
    session.acknowledge(running.number).await;
    // The acknowledgement is known to have arrived when a later question is answered.
    session.read_log("e-1", 0, false).await.unwrap();
    drop(session);

    let mut session = orchestrator.session().await;
    session.assign("e-1", &noop).await;
    let again = session.report().await;
    assert_eq!((again.number, again.state), (ended.number, ended.state), "only what was not acknowledged");
    session.acknowledge(again.number).await;
    session.read_log("e-1", 0, false).await.unwrap();
    drop(session);

    let mut session = orchestrator.session().await;
    assert!(
        matches!(session.run("e-2", &noop).await, ExecutionState::Completed(_)),
        "nothing is left of e-1"
    );
    // An orchestrator that lost its store and asks again is told again.
    session.assign("e-1", &noop).await;
    assert!(matches!(session.end_of("e-1").await, ExecutionState::Completed(_)));
    node.stop().await;
}

#[tokio::test]
async fn guests_go_on_while_the_link_is_cut() {
    let mut orchestrator = Orchestrator::start().await;
    let sleep = job(&[orchestrator.holds(guests::sleep(), "/main.wasm")], &["400"]);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    session.assign("e-1", &sleep).await;
    let running = session.report().await;
    session.acknowledge(running.number).await;
    session.read_log("e-1", 0, false).await.unwrap();
    drop(session);
    let mut session = orchestrator.call().await;
    let holds = session.hello.clone().unwrap().holds;
    assert!(holds.is_empty() || holds == [ExecutionId::new("e-1")], "{holds:?}");
    session.welcome(Duration::from_secs(60)).await;
    let ended = session.end_of("e-1").await;
    assert_eq!(ended.output().unwrap().stdout, "awake\n");
    node.stop().await;
}

#[tokio::test]
async fn a_cancelled_execution_says_so_even_if_it_was_never_heard_of() {
    let mut orchestrator = Orchestrator::start().await;
    let noop = job(&[orchestrator.holds(guests::noop(), "/main.wasm")], &[]);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    session.cancel("e-1").await;
    assert!(matches!(session.end_of("e-1").await, ExecutionState::Cancelled { .. }));
    session.assign("e-1", &noop).await;
    // It is not run; as its end is acknowledged, it is said again.
    assert!(matches!(session.end_of("e-1").await, ExecutionState::Cancelled { .. }));
    node.stop().await;
}

#[tokio::test]
async fn a_log_is_read_from_a_time_on_also_when_it_is_written_down() {
    let mut orchestrator = Orchestrator::start().await;
    let sleep = job(&[orchestrator.holds(guests::sleep(), "/main.wasm")], &["300"]);
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    session.assign("e-1", &sleep).await;
    assert_eq!(session.report().await.state, ExecutionState::Running);
    let from_time = |since| ReadLog {
        request: 3,
        execution: ExecutionId::new("e-1"),
        from: 0,
        wait: true,
        since: Some(since),
    };
    let live = session.read(from_time(Timestamp::default())).await.unwrap();
    let at = live.pieces[0].at.unwrap();
    session.end_of("e-1").await;
    let (before, after) = (at.before(Duration::from_secs(60)), at.after(Duration::from_secs(60)));
    assert_eq!(
        session.read(from_time(before)).await.unwrap().pieces,
        live.pieces,
        "written down with its time"
    );
    let nothing = session.read(from_time(after)).await.unwrap();
    assert_eq!((nothing.pieces.len(), nothing.next, nothing.end), (0, live.next, true));
}

#[tokio::test]
async fn logs_are_read_while_a_guest_runs_and_afterwards() {
    let mut orchestrator = Orchestrator::start().await;
    let sleep = job(&[orchestrator.holds(guests::sleep(), "/main.wasm")], &["500"]);
    let chatter = job(&[orchestrator.holds(guests::chatter(), "/main.wasm")], &["50000", "stderr"]);
    let node = TestNode::start(&orchestrator, |config| config.limits.log_bytes = 10_000);
    let mut session = orchestrator.session().await;
    session.assign("e-1", &sleep).await;
    assert_eq!(session.report().await.state, ExecutionState::Running);
    let nothing = session.read_log("e-1", 0, false).await.unwrap();
    assert_eq!((nothing.pieces.len(), nothing.next, nothing.end), (0, 0, false));
    let chunk = session.read_log("e-1", 0, true).await.unwrap();
    assert_eq!((chunk.pieces[0].stream, chunk.pieces[0].text.as_str()), (Stream::Out, "awake\n"));
    session.end_of("e-1").await;
    let rest = session.read_log("e-1", chunk.next, true).await.unwrap();
    assert_eq!((rest.pieces.len(), rest.end), (0, true));
    assert!(session.read_log("e-0", 0, true).await.unwrap_err().contains("`e-0`"));

    let ended = session.run("e-2", &chatter).await;
    assert!(ended.output().unwrap().stderr_truncated);
    let (mut text, mut from) = (String::new(), 0);
    loop {
        let chunk = session.read_log("e-2", from, true).await.unwrap();
        text.extend(chunk.pieces.into_iter().map(|piece| piece.text));
        from = chunk.next;
        if chunk.end {
            break;
        }
    }
    assert!(text.starts_with("....") && text.ends_with("\n[40017 more bytes were dropped]\n"), "{text}");
    node.stop().await;
}

#[tokio::test]
async fn another_orchestrator_is_called_when_one_is_silent_or_not_there() {
    let mut orchestrator = Orchestrator::start().await;
    let mut silent = orchestrator.beside().await;
    let addresses =
        ["127.0.0.1:1".to_owned(), silent.address.clone(), format!("nats://{}", orchestrator.address)];
    let node = TestNode::start(&silent, |config| {
        config.heartbeat = Duration::from_millis(50);
        config.orchestrators = addresses.to_vec();
    });
    let mut ignoring = silent.call().await;
    ignoring.welcome(Duration::from_millis(500)).await;
    let session = orchestrator.session().await;
    assert!(session.hello.is_some());
    while ignoring.hear().await.is_some() {}
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_cannot_be_set_up_says_why() {
    let orchestrator = Orchestrator::start().await;
    let start = |configure: fn(&mut Config)| {
        let address = orchestrator.address.clone();
        async move {
            let directory = tempfile::tempdir().unwrap();
            let mut config = Config::new(NodeId::new("n"), directory.path(), Resources::default());
            config.orchestrators = vec![address];
            configure(&mut config);
            serve(config, CancellationToken::new()).await.unwrap_err()
        }
    };
    for (error, message) in [
        (
            start(|config| config.orchestrators = vec!["a:b".to_owned()]).await,
            "`a:b` has a port that is no number",
        ),
        (start(|config| config.orchestrators.clear()).await, "no orchestrator is configured"),
        (start(|config| config.env_allow_list = vec!["[".to_owned()]).await, "`[` has a `[` without its `]`"),
    ] {
        assert!(error.to_string().contains(message) && error.hint().is_some(), "{error}");
    }
    let node = TestNode::start(&orchestrator, |_| {});
    let mut orchestrator = orchestrator;
    let _session = orchestrator.session().await;
    let mut config =
        Config::new(NodeId::new("n"), node.directory.path().join("compute"), Resources::default());
    config.orchestrators = vec![orchestrator.address.clone()];
    let error = serve(config, CancellationToken::new()).await.unwrap_err();
    assert!(
        matches!(error, Error::DataDir(_)) && error.to_string().contains("in use by another process"),
        "{error}"
    );
    node.stop().await;
}
