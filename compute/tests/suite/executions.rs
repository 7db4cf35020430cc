//! What becomes of executions, from the assignment to the report.

use std::{fs, time::Instant};

use serde_json::{Value, json};
use skrei_job::{
    life::ExecutionState,
    outcome::{Cause, Failure, Refusal, Rule},
};
use skrei_test_guests as guests;

use crate::support::{Orchestrator, TestNode, host_path, job, job_with};

fn failure(state: ExecutionState) -> Failure {
    if let ExecutionState::Failed(failure) = state { failure } else { panic!("{state:?} is no failure") }
}

fn refusal(state: ExecutionState) -> Refusal {
    if let ExecutionState::Refused(refusal) = state { refusal } else { panic!("{state:?} is no refusal") }
}

fn output(state: &ExecutionState) -> &str {
    &state.output().unwrap_or_else(|| panic!("{state:?} has no output")).stdout
}

#[tokio::test]
async fn every_way_to_end_is_told_apart() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = |wasm: &[u8]| orchestrator.holds(wasm, "/main.wasm");

    let noop = job(&[module(guests::noop())], &[]);
    let state = session.run("e-noop", &noop).await;
    assert!(matches!(&state, ExecutionState::Completed(output) if output.exit_code == Some(0)), "{state:?}");
    assert_eq!(output(&state), "hello\n");

    let component = job(&[module(guests::p2::probe())], &["preopens"]);
    let state = session.run("e-component", &component).await;
    assert!(matches!(&state, ExecutionState::Completed(output) if output.exit_code == Some(0)), "{state:?}");
    assert_eq!(output(&state), "preopens: ok /.skrei\n");

    let exited = failure(session.run("e-exit", &job(&[module(guests::exit())], &["5"])).await);
    assert_eq!((exited.cause, exited.message.as_str()), (Cause::Exited, "the guest exited with code 5"));
    assert_eq!((exited.output.exit_code, exited.output.stdout.as_str()), (Some(5), "exiting with 5\n"));

    let trapped = failure(session.run("e-trap", &job(&[module(guests::trap())], &[])).await);
    assert_eq!(trapped.cause, Cause::Trapped);
    assert!(trapped.message.contains("`unreachable`") && trapped.message.contains(" < "), "{trapped}");

    let limited = failure(session.run("e-grow", &job(&[module(guests::grow())], &["abort"])).await);
    assert_eq!(
        (limited.cause, limited.message.as_str()),
        (Cause::Limit, "the guest needs more than its 64 MB of memory")
    );

    let spin = job_with(&[module(guests::spin())], &[], json!({"Timeouts": {"ExecutionTimeout": 1}}));
    let timed_out = failure(session.run("e-spin", &spin).await);
    assert_eq!(
        (timed_out.cause, timed_out.message.as_str()),
        (Cause::Timeout, "the guest ran longer than 1s")
    );

    let not_wasm = failure(session.run("e-text", &job(&[module(b"#!/bin/sh")], &[])).await);
    assert_eq!(not_wasm.cause, Cause::NotPrepared);
    assert!(not_wasm.message.contains("not WebAssembly"), "{not_wasm}");

    assert_eq!(orchestrator.fetches(), 7, "each artifact is fetched once");
    let again = session.run("e-noop-2", &noop).await;
    assert!(matches!(again, ExecutionState::Completed(_)));
    assert_eq!(orchestrator.fetches(), 7);
    node.stop().await;
}

#[tokio::test]
async fn a_guest_writes_where_the_owner_allows_it_and_nowhere_else() {
    let mut orchestrator = Orchestrator::start().await;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    fs::create_dir(root.join("www")).unwrap();
    let entries = [format!("{}:/var/www:rw", root.join("www").display()), format!("{}/**", root.display())];
    let node = TestNode::start(&orchestrator, |config| {
        config.allow_list = skrei_compute::AllowList::parse(entries).unwrap();
    });
    let mut session = orchestrator.session().await;
    let info = &session.hello.as_ref().unwrap().info;
    assert!(info.sources.contains(&"localDirectory".to_owned()) && info.engines == ["wasm"]);

    let module = orchestrator.holds(guests::env(), "/main.wasm");
    let content =
        json!({"Source": {"Type": "inline", "Params": {"URL": "data:,text"}}, "Target": "/in/text"});
    let good = job_with(
        &[module.clone(), host_path("/var/www", "/www", true), content],
        &["one", "two"],
        json!({"Env": {"GREETING": "a=b", "SKREI_JOB_ID": "forged"}}),
    );
    let state = session.run("e-1", &good).await;
    let printed = output(&state);
    for line in [
        "arg: main.wasm",
        "arg: one",
        "arg: two",
        "env: GREETING=a=b",
        "env: BACALHAU_EXECUTION_ID=e-1",
        "env: BACALHAU_JOB_TYPE=ops",
        "env: BACALHAU_PARTITION_COUNT=1",
        "env: SKREI_PARTITION_INDEX=0",
        "env: SKREI_JOB_ID=j-1",
        "env: SKREI_NODE_ID=n-1",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} in {printed}");
    }

    let read_only = job(&[module.clone(), host_path(&root, "/data", true)], &[]);
    let refused = refusal(session.run("e-2", &read_only).await);
    assert_eq!(refused.rule, Rule::AllowList);
    let elsewhere = job(&[module.clone(), host_path("/etc", "/data", false)], &[]);
    assert_eq!(refusal(session.run("e-3", &elsewhere).await).rule, Rule::AllowList);

    // A refusal of one path leaves none of the others made.
    let made = json!({"Source": {"Type": "local", "Params":
        {"SourcePath": "/var/www/made", "ReadWrite": true, "CreateAs": "dir"}}, "Target": "/made"});
    let half = job(&[module.clone(), made.clone(), host_path("/etc", "/data", false)], &[]);
    assert_eq!(refusal(session.run("e-4", &half).await).rule, Rule::AllowList);
    assert!(!root.join("www/made").exists());
    let whole = job(&[module, made], &[]);
    assert!(matches!(session.run("e-5", &whole).await, ExecutionState::Completed(_)));
    assert!(root.join("www/made").is_dir());
    let data = node.stop().await;
    assert_eq!(
        fs::read_dir(data.path().join("compute/inline")).unwrap().count(),
        0,
        "inline content is gone"
    );
}

#[tokio::test]
async fn host_variables_are_lent_by_name_only_if_the_owner_says_so() {
    let mut orchestrator = Orchestrator::start().await;
    let node =
        TestNode::start(&orchestrator, |config| config.env_allow_list = vec!["CARGO_PKG_*".to_owned()]);
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::env(), "/main.wasm");
    let with = |value: &str| job_with(std::slice::from_ref(&module), &[], json!({"Env": {"LENT": value}}));
    let state = session.run("e-1", &with("env:CARGO_PKG_NAME")).await;
    assert!(output(&state).contains("env: LENT=skrei-compute\n"));
    let refused = refusal(session.run("e-2", &with("env:PATH")).await);
    assert!(refused.rule == Rule::Environment && refused.message.contains("`PATH`"), "{refused}");
    let refused = refusal(session.run("e-3", &with("env:CARGO_PKG_NO_SUCH")).await);
    assert!(refused.rule == Rule::Environment && refused.message.contains("not set"), "{refused}");
    node.stop().await;
}

#[tokio::test]
async fn content_that_is_not_what_its_digest_says_is_never_used() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.limits.artifact_bytes = 1 << 20);
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    orchestrator.swaps(guests::noop(), guests::exit());
    let wrong = failure(session.run("e-1", &job(std::slice::from_ref(&module), &[])).await);
    assert_eq!(wrong.cause, Cause::NotPrepared);
    for content in [guests::noop(), guests::exit()] {
        let digest = skrei_job::Digest::of(content).to_string();
        assert!(wrong.message.contains(&digest), "{digest} in {wrong}");
    }
    let unknown = crate::support::artifact_input(skrei_job::Digest::of(b"unknown"), 7, "/main.wasm");
    let missing = failure(session.run("e-2", &job(&[unknown], &[])).await);
    assert!(missing.message.contains("has no artifact"), "{missing}");
    let large = orchestrator.holds(&vec![0; 2 << 20], "/large");
    let too_large = failure(session.run("e-3", &job(&[module, large], &[])).await);
    assert!(too_large.message.contains("1048576 bytes") || too_large.message.contains("is `"), "{too_large}");
    node.stop().await;
}

#[tokio::test]
async fn executions_wait_for_room_and_a_spinning_guest_delays_nobody() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.limits.waiting = 1);
    let mut session = orchestrator.session().await;
    let spin = job(&[orchestrator.holds(guests::spin(), "/main.wasm")], &[]);
    let noop = job(&[orchestrator.holds(guests::noop(), "/main.wasm")], &[]);
    for execution in ["e-spin-1", "e-spin-2"] {
        session.assign(execution, &spin).await;
    }
    for _ in 0..2 {
        assert_eq!(session.report().await.state, ExecutionState::Running);
    }
    session.assign("e-waits", &noop).await;
    let full = refusal(session.run("e-too-many", &noop).await);
    assert_eq!(full.rule, Rule::Capacity);

    let asked = Instant::now();
    assert!(session.read_log("e-waits", 0, false).await.unwrap().pieces.is_empty());
    assert!(asked.elapsed().as_millis() < 500, "the link answers while guests spin");

    session.cancel("e-spin-1").await;
    let cancelled = session.end_of("e-spin-1").await;
    assert_eq!(cancelled, ExecutionState::Cancelled { reason: "stopped by a test".to_owned() });
    assert!(matches!(session.end_of("e-waits").await, ExecutionState::Completed(_)));
    session.cancel("e-spin-2").await;
    assert!(matches!(session.end_of("e-spin-2").await, ExecutionState::Cancelled { .. }));
    node.stop().await;
}

#[tokio::test]
async fn a_node_that_shuts_down_lets_guests_end_and_takes_nothing_on() {
    let mut orchestrator = Orchestrator::start().await;
    let node =
        TestNode::start(&orchestrator, |config| config.limits.drain = std::time::Duration::from_secs(2));
    let mut session = orchestrator.session().await;
    let sleep = job(&[orchestrator.holds(guests::sleep(), "/main.wasm")], &["700"]);
    let spin = job(&[orchestrator.holds(guests::spin(), "/main.wasm")], &[]);
    session.assign("e-sleep", &sleep).await;
    session.assign("e-spin", &spin).await;
    for _ in 0..2 {
        assert_eq!(session.report().await.state, ExecutionState::Running);
    }
    session.assign("e-waits", &sleep).await;
    assert!(session.read_log("e-waits", 0, false).await.is_ok());
    node.leave();
    assert!(matches!(session.hear().await, Some(skrei_protocol::link::FromNode::Leaving)));
    assert_eq!(refusal(session.end_of("e-waits").await).rule, Rule::Draining);
    assert_eq!(refusal(session.run("e-late", &sleep).await).rule, Rule::Draining);
    assert!(matches!(session.end_of("e-sleep").await, ExecutionState::Completed(_)));
    assert_eq!(failure(session.end_of("e-spin").await).cause, Cause::Interrupted);
    node.stop().await;
}

#[tokio::test]
async fn a_job_imports_from_modules_among_its_inputs() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let entry = r#"(module (import "lib/sum.wasm" "value" (func $value (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (call $value))))"#;
    let sum = r#"(module (import "one" "value" (func $value (result i32)))
        (func (export "value") (result i32) (i32.add (call $value) (i32.const 2))))"#;
    let one = r#"(module (func (export "value") (result i32) (i32.const 1)))"#;
    let inputs = [
        orchestrator.holds(entry.as_bytes(), "/main.wasm"),
        orchestrator.holds(sum.as_bytes(), "/lib/sum.wasm"),
        orchestrator.holds(one.as_bytes(), "/one"),
    ];
    let importing = |inputs: &[Value], imports: &[&str]| {
        let params = json!({"EntryModule": "/main.wasm", "ImportModules": imports});
        job_with(inputs, &[], json!({"Engine": {"Type": "wasm", "Params": params}}))
    };
    // Given by name, or found as a file by whoever imports from it.
    for (execution, imports) in [("e-1", &["one", "lib/sum.wasm"][..]), ("e-2", &["one"]), ("e-3", &[])] {
        let ended = failure(session.run(execution, &importing(&inputs, imports)).await);
        assert_eq!((ended.cause, ended.output.exit_code), (Cause::Exited, Some(3)), "{ended}");
    }
    let ended = failure(session.run("e-4", &importing(&inputs[..2], &["lib/sum.wasm"])).await);
    assert_eq!(ended.cause, Cause::NotPrepared);
    assert!(
        ended.message.contains("the entry module -> `lib/sum.wasm`: the module imports `one::value`"),
        "{ended}"
    );
    node.stop().await;
}

#[tokio::test]
async fn a_job_bounds_the_processor_time_of_its_guest() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let spin = [orchestrator.holds(guests::spin(), "/main.wasm")];
    let ended = failure(session.run("e-1", &job_with(&spin, &[], json!({"Timeouts": {"CPUTime": 1}}))).await);
    assert_eq!(ended.cause, Cause::Limit);
    assert!(ended.message.contains("computed longer than 1s") && ended.hint.unwrap().contains("CPUTime"));
    node.stop().await;
}
