//! What a run leaves is handed over before its execution has ended, whatever stops in between.

use std::{collections::BTreeMap, fs, io::Read as _};

use axum::http::StatusCode;
use flate2::read::GzDecoder;
use serde_json::json;
use skrei_job::{
    Digest, Spec,
    life::ExecutionState,
    outcome::{Cause, Failure, Published},
};
use skrei_test_guests as guests;

use crate::support::{Orchestrator, Session, TestNode, job_with};

/// A job that writes a report and exits as told.
fn job(orchestrator: &Orchestrator, module: &[u8], steps: &[&str]) -> Spec {
    let results = json!([{"Name": "outputs", "Path": "/outputs"}]);
    job_with(
        &[orchestrator.holds(module, "/main.wasm")],
        steps,
        json!({"Publisher": {"Type": "local"}, "ResultPaths": results}),
    )
}

fn files(archive: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let file = |entry: std::io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (path, text)
    };
    archive.entries().unwrap().map(file).collect()
}

fn failure(state: ExecutionState) -> Failure {
    if let ExecutionState::Failed(failure) = state { failure } else { panic!("{state:?} is no failure") }
}

/// Waits until pieces were sent and refused.
async fn refused(orchestrator: &Orchestrator) {
    let before = orchestrator.pieces();
    while orchestrator.pieces() < before + 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The next report says that the execution runs.
async fn running(session: &mut Session) {
    let report = session.report().await;
    assert_eq!(report.state, ExecutionState::Running);
    session.acknowledge(report.number).await;
}

const STEPS: &[&str] = &["write /outputs:report.txt done", "mkdir /outputs:d", "write /outputs:d/x deep"];

#[tokio::test]
async fn what_a_guest_left_has_arrived_when_its_execution_is_completed() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    assert!(session.hello.as_ref().unwrap().info.publishers.contains(&"local".to_owned()));
    let job = job(&orchestrator, guests::probe(), STEPS);
    let ExecutionState::Completed(output) = session.run("e-1", &job).await else { panic!("not completed") };
    let archive = orchestrator.results_of("e-1").expect("the results");
    let published = Published::Orchestrator { digest: Digest::of(&archive), bytes: archive.len() as u64 };
    assert_eq!(output.published, Some(published));
    let files = files(&archive);
    assert_eq!(files["outputs/report.txt"], "done");
    assert_eq!(files["outputs/d/x"], "deep");
    assert_eq!((files["stdout"].as_str(), files["exitCode"].as_str()), (output.stdout.as_str(), "0"));
    let data = node.stop().await;
    for folder in ["outbox", "results"] {
        assert_eq!(fs::read_dir(data.path().join("compute").join(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[tokio::test]
async fn all_that_a_guest_wrote_is_in_its_results_though_the_log_is_cut() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.limits.log_bytes = 1000);
    let mut session = orchestrator.session().await;
    let text = "x".repeat(3000);
    let state = session.run("e-1", &job(&orchestrator, guests::env(), &[&text])).await;
    let output = state.output().unwrap();
    assert_eq!((output.stdout.len(), output.stdout_truncated), (2048, true));
    let files = files(&orchestrator.results_of("e-1").unwrap());
    assert_eq!(files["stdout"].matches('x').count(), 3000);
    assert!(files["outputs"].is_empty(), "a directory, also if it is empty");
    node.stop().await;
}

#[tokio::test]
async fn a_guest_that_exits_with_a_code_has_results_and_one_that_traps_has_none() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let exited = failure(session.run("e-1", &job(&orchestrator, guests::exit(), &["5"])).await);
    assert!(exited.output.published.is_some());
    assert_eq!(files(&orchestrator.results_of("e-1").unwrap())["exitCode"], "5");
    let trapped = failure(session.run("e-2", &job(&orchestrator, guests::trap(), &[])).await);
    assert_eq!((trapped.cause, trapped.output.published), (Cause::Trapped, None));
    assert_eq!(orchestrator.results_of("e-2"), None);
    node.stop().await;
}

#[tokio::test]
async fn results_go_on_where_they_were_after_the_node_was_killed() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    orchestrator.refuses_results(Some(StatusCode::SERVICE_UNAVAILABLE));
    session.assign("e-1", &job(&orchestrator, guests::probe(), STEPS)).await;
    running(&mut session).await;
    refused(&orchestrator).await;
    let data = node.kill().await;

    let outbox = data.path().join("compute/outbox");
    let archive = fs::read_dir(&outbox).unwrap().next().expect("an archive").unwrap().path();
    let archive = fs::read(archive).unwrap();
    orchestrator.has_of("e-1", &archive[..archive.len() / 2]);
    orchestrator.refuses_results(None);
    let node = TestNode::start_in(data, &orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    assert_eq!(session.hello.as_ref().unwrap().holds.len(), 1, "it still has the execution");
    let ExecutionState::Completed(output) = session.end_of("e-1").await else { panic!("not completed") };
    assert!(output.published.is_some());
    assert_eq!(orchestrator.results_of("e-1").unwrap(), archive);
    assert!(session.read_log("e-1", 0, false).await.unwrap().end);
    let data = node.stop().await;
    assert_eq!(fs::read_dir(data.path().join("compute/outbox")).unwrap().count(), 0);
}

#[tokio::test]
async fn results_that_are_refused_or_too_large_fail_the_execution_and_leave_nothing() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.limits.result_bytes = 100_000);
    let mut session = orchestrator.session().await;
    orchestrator.refuses_results(Some(StatusCode::INSUFFICIENT_STORAGE));
    let full = failure(session.run("e-1", &job(&orchestrator, guests::probe(), STEPS)).await);
    assert_eq!((full.cause, full.output.exit_code), (Cause::NotPublished, Some(0)));
    assert!(full.message.contains("refused by a test (status 507)"), "{}", full.message);

    orchestrator.refuses_results(None);
    let noise = &["fill /outputs:noise 0 100000000"];
    let large = failure(session.run("e-2", &job(&orchestrator, guests::probe(), noise)).await);
    assert_eq!(large.cause, Cause::NotPublished);
    assert!(large.message.contains("more than 100000 bytes"), "{}", large.message);
    let data = node.stop().await;
    for folder in ["outbox", "results"] {
        assert_eq!(fs::read_dir(data.path().join("compute").join(folder)).unwrap().count(), 0, "{folder}");
    }
}

#[tokio::test]
async fn a_job_that_is_stopped_no_longer_waits_for_its_results() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    orchestrator.refuses_results(Some(StatusCode::SERVICE_UNAVAILABLE));
    session.assign("e-1", &job(&orchestrator, guests::probe(), STEPS)).await;
    running(&mut session).await;
    refused(&orchestrator).await;
    session.cancel("e-1").await;
    assert!(matches!(session.end_of("e-1").await, ExecutionState::Cancelled { .. }));
    let data = node.stop().await;
    assert_eq!(fs::read_dir(data.path().join("compute/outbox")).unwrap().count(), 0);
}
