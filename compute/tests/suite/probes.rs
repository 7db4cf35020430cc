//! What the node's owner decides about jobs as a whole.

use std::time::Duration;

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use serde_json::{Value, json};
use skrei_job::{
    life::ExecutionState,
    outcome::{Refusal, Rule},
};
use skrei_test_guests as guests;
use tokio::net::TcpListener;

use crate::support::{Orchestrator, TestNode, job};

fn refusal(state: ExecutionState) -> Refusal {
    match state {
        ExecutionState::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_command_decides_by_the_job_it_is_given() {
    let mut orchestrator = Orchestrator::start().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let node = TestNode::start(&orchestrator, |config| {
        let rule = r#"job=$(cat)
            [ "$job" = "$BACALHAU_JOB_SELECTION_PROBE_DATA" ] || { echo "the job is missing" >&2; exit 1; }
            case "$job" in *forbidden*) printf 'no such\nargument here' >&2; exit 3;; esac"#;
        config.probe_exec = Some(rule.to_owned());
    });
    let mut session = orchestrator.session().await;
    let good = job(std::slice::from_ref(&module), &["fine"]);
    assert!(matches!(session.run("e-1", &good).await, ExecutionState::Completed(_)));
    let bad = job(std::slice::from_ref(&module), &["forbidden"]);
    let refused = refusal(session.run("e-2", &bad).await);
    assert_eq!(refused.rule, Rule::Probe);
    assert!(refused.message.ends_with("no such argument here"), "{}", refused.message);
    assert!(refused.hint.unwrap().contains("JobAdmissionControl.ProbeExec"));
    node.stop().await;
}

#[tokio::test]
async fn a_server_decides_by_status_or_by_what_it_says() {
    let mut orchestrator = Orchestrator::start().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let answer = async |State(()): State<()>, body: String| {
        let asked: Value = serde_json::from_str(&body).unwrap();
        let argument = asked["Job"]["Tasks"][0]["Engine"]["Params"]["Parameters"][0].clone();
        match argument.as_str().unwrap() {
            "yes" => axum::Json(json!({"ShouldBid": true})).into_response(),
            "no" => axum::Json(json!({"ShouldBid": false, "Reason": "not on a Friday"})).into_response(),
            "silent" => "whatever".into_response(),
            _ => StatusCode::FORBIDDEN.into_response(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/probe", listener.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(listener, Router::new().route("/probe", post(answer)).with_state(())).await
    });
    let node = TestNode::start(&orchestrator, |config| config.probe_http = Some(url));
    let mut session = orchestrator.session().await;
    for (number, (argument, expected)) in
        [("yes", None), ("silent", None), ("no", Some("not on a Friday")), ("other", Some("403"))]
            .into_iter()
            .enumerate()
    {
        let state =
            session.run(&format!("e-{number}"), &job(std::slice::from_ref(&module), &[argument])).await;
        match expected {
            None => assert!(matches!(state, ExecutionState::Completed(_)), "{argument}: {state:?}"),
            Some(why) => assert!(refusal(state).message.contains(why), "{argument}"),
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn a_job_without_inputs_of_its_own_is_refused_where_that_is_asked_for() {
    let mut orchestrator = Orchestrator::start().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let other = orchestrator.holds(b"data", "/data");
    let node = TestNode::start(&orchestrator, |config| config.reject_stateless = true);
    let mut session = orchestrator.session().await;
    let refused = refusal(session.run("e-1", &job(std::slice::from_ref(&module), &[])).await);
    assert_eq!(refused.rule, Rule::Stateless);
    let state = session.run("e-2", &job(&[module, other], &[])).await;
    assert!(matches!(state, ExecutionState::Completed(_)), "{state:?}");
    node.stop().await;
}

#[tokio::test]
async fn a_probe_that_hangs_says_no_and_is_ended() {
    let mut orchestrator = Orchestrator::start().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let directory = tempfile::tempdir().unwrap();
    let pid = directory.path().join("pid");
    let command = format!("sleep 600 & echo $! > {}; wait", pid.display());
    let node = TestNode::start(&orchestrator, |config| config.probe_exec = Some(command));
    let mut session = orchestrator.session().await;
    let refused = refusal(session.run("e-1", &job(&[module], &[])).await);
    assert!(refused.message.contains("did not answer within"), "{}", refused.message);
    let pid = std::fs::read_to_string(pid).unwrap();
    let is_gone = async {
        while std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .is_ok_and(|stat| !stat.contains(") Z"))
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_gone).await.expect("nothing of it is left");
    node.stop().await;
}
