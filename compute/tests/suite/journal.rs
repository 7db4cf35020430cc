//! What the journal promises, over crashes.

use skrei_compute::{journal::Journal, output::Recording};
use skrei_job::{
    ExecutionId, Timestamp,
    life::ExecutionState,
    outcome::{Cause, RunOutput},
};
use skrei_protocol::link::Stream;
use skrei_test_guests as guests;

use crate::support::{Orchestrator, TestNode, job};

fn completed() -> ExecutionState {
    ExecutionState::Completed(RunOutput::default())
}

#[tokio::test]
async fn an_execution_starts_once_and_ends_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let id = ExecutionId::new("e-1");
    let journal = Journal::open(&path).await.unwrap();
    journal.start(&id).await.unwrap();
    journal.start(&id).await.unwrap_err();
    let mut output = Recording::default();
    output.write(Stream::Out, b"done\n", Timestamp::from_seconds(1), 1000);
    journal.end(&id, completed(), output.clone()).await.unwrap();
    journal
        .end(&id, ExecutionState::Cancelled { reason: "late".to_owned() }, Recording::default())
        .await
        .unwrap();
    drop(journal);

    let journal = Journal::open(&path).await.unwrap();
    let reports = journal.reports(0, 10).await.unwrap();
    let states: Vec<_> = reports.iter().map(|report| report.state.clone()).collect();
    assert_eq!(states, [ExecutionState::Running, completed()]);
    assert_eq!(reports[1].number, reports[0].number + 1);
    assert_eq!(journal.ended(&id), Some(reports[1].number));
    assert_eq!(journal.output(&id).await.unwrap(), Some(output));
    assert_eq!(journal.output(&ExecutionId::new("e-2")).await.unwrap(), None);
}

#[tokio::test]
async fn reports_are_kept_until_acknowledged_and_numbers_never_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Journal::open(&path).await.unwrap();
    for id in ["e-1", "e-2"] {
        journal.end(&ExecutionId::new(id), completed(), Recording::default()).await.unwrap();
    }
    let numbers: Vec<_> = journal.reports(0, 10).await.unwrap().iter().map(|report| report.number).collect();
    journal.acknowledge(numbers[1] + 100);
    assert_eq!(journal.acknowledged(), numbers[1], "only what there is can be acknowledged");
    assert!(journal.reports(0, 10).await.unwrap().is_empty());
    journal.forget_acknowledged().await;
    journal.report_again(&ExecutionId::new("e-1")).await.unwrap();
    drop(journal);
    let journal = Journal::open(&path).await.unwrap();
    let again = journal.reports(0, 10).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].number, again[0].execution.as_str()), (numbers[1] + 1, "e-1"));
}

#[tokio::test]
async fn what_ran_when_the_node_was_killed_is_reported_as_interrupted_and_never_runs_again() {
    let mut orchestrator = Orchestrator::start().await;
    let spin = job(&[orchestrator.holds(guests::spin(), "/main.wasm")], &[]);
    let noop = job(&[orchestrator.holds(guests::noop(), "/main.wasm")], &[]);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    session.assign("e-done", &noop).await;
    while !session.report().await.state.is_terminal() {}
    session.assign("e-spin", &spin).await;
    assert_eq!(session.report().await.state, ExecutionState::Running);
    let data = node.kill().await;

    let node = TestNode::start_in(data, &orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    assert!(session.hello.as_ref().unwrap().holds.is_empty());
    // Nothing was acknowledged: everything comes again, in order.
    let mut reports = Vec::new();
    for _ in 0..4 {
        reports.push(session.report().await);
    }
    assert!(reports.is_sorted_by_key(|report| report.number));
    assert!(matches!(reports[1].state, ExecutionState::Completed(_)));
    let ExecutionState::Failed(failure) = &reports[3].state else { panic!("{:?}", reports[3]) };
    assert_eq!((reports[3].execution.as_str(), failure.cause), ("e-spin", Cause::Interrupted));
    session.assign("e-spin", &spin).await;
    session.assign("e-done", &noop).await;
    let next = session.run("e-next", &noop).await;
    assert!(matches!(next, ExecutionState::Completed(_)), "nothing else was reported in between");
    let log = session.read_log("e-done", 0, false).await.unwrap();
    assert_eq!((log.pieces[0].text.as_str(), log.end), ("hello\n", true));
    node.stop().await;
}

#[tokio::test]
async fn output_is_kept_by_its_own_rule_and_what_is_dropped_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.db");
    let journal = Journal::open(&path).await.unwrap();
    let printed = |text: &str| {
        let mut output = Recording::default();
        output.write(Stream::Out, text.as_bytes(), Timestamp::from_seconds(1), 1000);
        output
    };
    for name in ["old", "new"] {
        let id = ExecutionId::new(name);
        journal.start(&id).await.unwrap();
        journal.end(&id, completed(), printed(name)).await.unwrap();
    }
    let week = Some(std::time::Duration::from_secs(7 * 24 * 60 * 60));
    assert_eq!(journal.drop_old_output(week, 1000).await.unwrap(), 0);
    let room_for_one = 3 + 17 + 8;
    assert_eq!(journal.drop_old_output(week, room_for_one).await.unwrap(), 1);
    assert_eq!(journal.output(&ExecutionId::new("new")).await.unwrap(), Some(printed("new")));
    let left = journal.output(&ExecutionId::new("old")).await.unwrap().unwrap();
    let text = left.chunk(0, 1000, true).pieces[0].text.clone();
    assert!(text.contains("28 bytes of output were removed"), "{text}");
    assert_eq!(journal.output(&ExecutionId::new("never")).await.unwrap(), None);
}

#[tokio::test]
async fn what_ran_once_does_not_run_again_on_a_node_that_lost_its_journal() {
    let mut orchestrator = Orchestrator::start().await;
    let noop = job(&[orchestrator.holds(guests::noop(), "/main.wasm")], &[]);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    session.assign_started("e-1", &noop).await;
    let report = session.report().await;
    let ExecutionState::Failed(failure) = &report.state else { panic!("{report:?}") };
    assert_eq!((report.execution.as_str(), failure.cause), ("e-1", Cause::Interrupted));
    assert!(failure.message.contains("has lost what it wrote down"), "{failure}");
    assert_eq!(orchestrator.fetches(), 0, "nothing was made ready for it");
    // Said twice it stays as it is.
    session.assign_started("e-1", &noop).await;
    let next = session.run("e-2", &noop).await;
    assert!(matches!(next, ExecutionState::Completed(_)), "{next:?}");
    node.stop().await;
}
