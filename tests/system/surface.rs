//! The API and the commands for looking at things tell the same story.

use std::process::Command;

use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::json;

use super::harness::{JobFile, Node, Orchestrator, wait_for_end};

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_guest_fails_its_job_with_exit_code_and_output_kept() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "batch", skrei_test_guests::exit(), &["5"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let job = wait_for_end(&client, &id).await;
    let output = job.executions.unwrap().items.remove(0).run_output.unwrap();
    assert_eq!(output.exit_code, 5);
    assert!(!output.stdout.is_empty(), "what it printed is kept");

    let described = orchestrator.run(&["job", "describe", &id]).expect(0);
    assert!(described.contains("Failed") && described.contains("worker"), "{described}");
    let listed = orchestrator.run(&["job", "list"]).expect(0);
    assert!(listed.contains("Failed") && listed.contains("batch"), "{listed}");
    let executions = orchestrator.run(&["job", "executions", &id]).expect(0);
    assert!(executions.contains("Failed"), "{executions}");
    let history = orchestrator.run(&["job", "history", &id]).expect(0);
    assert!(history.contains("Job submitted") && history.contains("exited with code 5"), "{history}");
    let nodes = orchestrator.run(&["node", "list"]).expect(0);
    assert!(nodes.contains("name=worker") && nodes.contains("CONNECTED"), "{nodes}");
    let node = orchestrator.run(&["node", "describe", "work"]).expect(0);
    assert!(node.contains("worker"), "a node is found by the beginning of its name: {node}");
}

/// A tar archive compressed by gzip, by the tools everybody has.
fn packed(directory: &std::path::Path, name: &str) -> String {
    let packed = Command::new("tar").args(["czf", "-", "-C"]).arg(directory).arg(name).output().unwrap();
    assert!(packed.status.success(), "{packed:?}");
    format!("data:application/gzip;base64,{}", BASE64.encode(packed.stdout))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_and_a_directory_come_in_the_job_as_bacalhau_s_clients_send_them() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.wasm"), skrei_test_guests::probe()).unwrap();
    std::fs::create_dir(directory.path().join("site")).unwrap();
    std::fs::write(directory.path().join("site/index.html"), "welcome").unwrap();
    let inline = |url: String, target: &str| json!({"Source": {"Type": "inline", "Params": {"URL": url}}, "Alias": "", "Target": target});
    let job = json!({
        "Type": "ops",
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {
                "EntryModule": "main.wasm", "Entrypoint": "_start", "ImportModules": null,
                "Parameters": ["read /data:site/index.html", "write /data:site/index.html changed"],
            }},
            "InputSources": [
                inline(packed(directory.path(), "main.wasm"), "main.wasm"),
                inline(packed(directory.path(), "site"), "/data"),
            ],
            "Resources": {}, "Timeouts": {},
        }],
    });
    let client = orchestrator.client();
    let id = client.submit(&serde_json::from_value(job).unwrap(), false).await.unwrap().job_id;
    let job = wait_for_end(&client, &id).await;
    let output = job.executions.unwrap().items.remove(0).run_output.unwrap().stdout;
    assert!(output.contains("ok welcome") && output.contains("changed: ROFS"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_each_node_and_what_keeps_the_job_off_it_and_runs_nothing() {
    let orchestrator = Orchestrator::start(&[]);
    let nodes = ["here", "there"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("main.wat"), r#"(module (func (export "_start")))"#).unwrap();
    let file = directory.path().join("job.yaml");
    let job = "Name: planned\nType: ops\nConstraints: [{Key: name, Operator: '=', Values: [here]}]\n\
               Tasks: [{Name: main, Engine: {Type: wasm, Params: {EntryModule: main.wat}}}]\n";
    std::fs::write(&file, job).unwrap();
    let ran = orchestrator.run(&["job", "plan", file.to_str().unwrap()]);
    let said = ran.expect(0);
    let line = |node: &str| said.lines().find(|line| line.starts_with(node)).unwrap().to_owned();
    assert!(line("here").contains("yes"), "{said}");
    assert!(line("there").contains("label `name` = `there`, wanted `name = here`"), "{said}");
    assert!(said.contains("1 of 2 nodes"), "{said}");

    // By each node's own rules, without anything being made.
    let mounts = |path: &str, create: &str| {
        let input = format!(
            "Name: planned\nType: ops\nTasks: [{{Name: main, Engine: {{Type: wasm, Params: {{EntryModule: main.wat}}}}, \
             InputSources: [{{Target: /out, Source: {{Type: local, Params: {{SourcePath: {path}, ReadWrite: true\
             {create}}}}}}}]}}]\n"
        );
        std::fs::write(&file, input).unwrap();
        orchestrator.run(&["job", "plan", file.to_str().unwrap()]).expect(0)
    };
    let said = mounts("/etc/nginx/ssl", "");
    for node in &nodes {
        let real = format!("{} at /out (rw)", node.served().canonicalize().unwrap().display());
        assert!(said.contains(&real), "{said}");
    }
    assert!(said.contains("2 of 2 nodes"), "{said}");
    let said = mounts("/etc/nginx/ssl/new", ", CreateAs: dir");
    assert!(said.contains("2 of 2 nodes") && said.contains("/new at /out (rw)"), "{said}");
    assert!(nodes.iter().all(|node| !node.served().join("new").exists()), "nothing is made");
    let said = mounts("/etc/passwd", "");
    assert!(said.contains("0 of 2 nodes") && said.contains("/etc/passwd"), "{said}");
    assert!(orchestrator.client().jobs("", 10, "").await.unwrap().items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_job_ends_its_guest_and_stays_stopped() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::spin(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;

    orchestrator.run(&["job", "stop", &id]).expect(0);
    let job = wait_for_end(&client, &id).await;
    assert_eq!(job.job.state.state_type.as_str(), "Stopped");
    // The node is free again for the next job.
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Completed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_submitted_again_is_an_update_and_an_unchanged_one_is_refused() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let job = job.with("/Name", "same".into());
    let first = client.submit(&job.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &first).await;

    let refused = client.submit(&job.manifest(), false).await.unwrap_err();
    assert!(refused.hint().is_some_and(|hint| hint.contains("--force")), "{refused}");
    let again = client.submit(&job.manifest(), true).await.unwrap().job_id;
    assert_eq!(again, first);
    assert_eq!(client.job("same", "").await.unwrap().job.version, 2);
}
