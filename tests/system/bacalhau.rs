//! Vectors and traps of the API that take a guest (reference 10 and 11); the others are in requester/tests/suite.

use std::io::Write;

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};
use skrei_job::{Manifest, life::JobState};
use skrei_protocol::{
    api::{execution::compute_state, job::GetJobResponse},
    client::{Client, LogQuery},
};

use super::harness::{JobFile, Node, Orchestrator, wait_for_end};

async fn system() -> (Orchestrator, Node, Client) {
    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    (orchestrator, node, client)
}

async fn run(client: &Client, job: &Manifest) -> GetJobResponse {
    let id = client.submit(job, false).await.unwrap().job_id;
    wait_for_end(client, &id).await
}

/// The job's only execution: its state, and what came with it.
fn ended(job: &GetJobResponse) -> (u8, Value) {
    let execution = &job.executions.as_ref().unwrap().items[0];
    (execution.compute_state.state_type, serde_json::to_value(&execution.run_output).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_14_and_trap_12_an_exit_code_is_kept_and_told_apart_from_a_trap() {
    let (_orchestrator, _node, client) = system().await;
    // Where we differ: a job that exits with 5 has failed (docs/api.md).
    for (code, state, compute) in
        [("5", JobState::Failed, compute_state::FAILED), ("0", JobState::Completed, compute_state::COMPLETED)]
    {
        let job = JobFile::new(&client, "ops", skrei_test_guests::exit(), &[code]).await;
        let job = run(&client, &job.manifest()).await;
        let (found, output) = ended(&job);
        assert_eq!((job.job.state.state_type, found), (state, compute), "{job:#?}");
        assert_eq!(output["ExitCode"].to_string(), code);
        assert_eq!(output["Stdout"], format!("exiting with {code}\n"), "its output is kept");
        assert_eq!(output["ErrorMsg"], "", "an exit is no error of ours");
    }
    let trap = JobFile::new(&client, "ops", skrei_test_guests::trap(), &["unreachable"]).await;
    let job = run(&client, &trap.manifest()).await;
    let execution = &job.executions.as_ref().unwrap().items[0];
    assert_eq!(execution.compute_state.state_type, compute_state::FAILED);
    assert_eq!(execution.compute_state.details["Cause"], "Trapped");
    assert!(!execution.run_output.as_ref().unwrap().error_msg.is_empty(), "{execution:#?}");
    let returns = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    assert_eq!(ended(&run(&client, &returns.manifest()).await).1["ExitCode"], 0, "a return is no -1");
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_15_and_trap_08_the_head_of_the_output_comes_with_the_execution_and_all_of_it_in_the_log() {
    let (_orchestrator, _node, client) = system().await;
    let job = JobFile::new(&client, "ops", skrei_test_guests::chatter(), &["3000"]).await;
    let job = run(&client, &job.manifest()).await;
    let (_, output) = ended(&job);
    assert_eq!(output["Stdout"].as_str().map(str::len), Some(2048));
    assert_eq!((&output["StdoutTruncated"], &output["StderrTruncated"]), (&json!(true), &json!(false)));
    for query in [LogQuery::default(), LogQuery { follow: true, ..LogQuery::default() }] {
        let mut log = client.logs(&job.job.id, &query).await.unwrap();
        let mut bytes = 0;
        while let Some(line) = log.next().await.unwrap() {
            assert_eq!(line.kind, 1);
            bytes += line.line.len();
        }
        assert_eq!(bytes, 3000, "also with `follow`, once it is over");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_13_a_module_is_found_by_its_target_however_it_came() {
    let (_orchestrator, _node, client) = system().await;
    let noop = skrei_test_guests::noop();
    let plain = format!("data:application/wasm;base64,{}", BASE64.encode(noop));
    // What Bacalhau's command makes of a file of more than 512 bytes.
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(noop.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "local-name.wasm", noop).unwrap();
    let mut gzip = archive.into_inner().unwrap();
    gzip.flush().unwrap();
    let packed = format!("data:application/gzip;base64,{}", BASE64.encode(gzip.finish().unwrap()));
    // Written by hand, with line breaks.
    let broken = plain
        .chars()
        .collect::<Vec<_>>()
        .chunks(76)
        .map(|line| line.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join("\n");
    let legacy = json!({"Source": {"Type": "inline", "Params": {"URL": plain}}, "Alias": "", "Target": ""});
    for (module, target, url) in [
        (json!("main.wasm"), "/main.wasm", &plain),
        (json!("/wasm/main.wasm"), "wasm/main.wasm", &plain),
        (json!("main.wasm"), "main.wasm", &packed),
        (json!("main.wasm"), "main.wasm", &broken),
        (legacy, "/unused", &plain),
    ] {
        // Without an entry point: `_start`.
        let job = json!({"Type": "batch", "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "WASM", "Params": {"EntryModule": module}},
            "InputSources": [{"Source": {"Type": "inline", "Params": {"URL": url}}, "Target": target}],
            "Resources": {"CPU": "10m", "Memory": "16MB"},
        }]});
        let job: Manifest = serde_json::from_value(job).unwrap();
        let job = run(&client, &job).await;
        assert_eq!(job.job.state.state_type, JobState::Completed, "{target}: {job:#?}");
    }
}
