//! Nodes that join as people let them: the commands of docs/guide/nodes.md, and what must never be logged.

use std::{fs, time::Duration};

use serde_json::json;
use skrei_protocol::api::execution::{Execution, compute_state};

use crate::harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, wait_for_end};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_joins_with_a_printed_token_and_no_secret_is_ever_logged() {
    let orchestrator = Orchestrator::start(&["Logging.Level=trace", "Orchestrator.Auth.Token=a-shared-word"]);
    let token = orchestrator.run(&["node", "token", "create", "--uses", "1", "--note", "web"]).stdout;
    let token = token.trim();
    let mut with_token = Node::configured(
        &orchestrator,
        "web",
        &[&format!("Compute.Auth.Token={token}"), "Logging.Level=trace"],
    );
    let with_word =
        Node::configured(&orchestrator, "word", &["Compute.Auth.Token=a-shared-word", "Logging.Level=trace"]);
    let here = Node::configured(&orchestrator, "here", &["Logging.Level=trace"]);
    orchestrator.wait_for_nodes(3).await;
    let listed = orchestrator.run(&["node", "token", "list"]).expect(0);
    assert!(listed.contains("1 of 1") && listed.contains("used up") && listed.contains("web"), "{listed}");
    // With the identity alone.
    with_token.kill();
    orchestrator.wait_for_nodes(2).await;
    with_token.start_again();
    orchestrator.wait_for_nodes(3).await;

    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Completed");

    let first = fs::read_to_string(orchestrator.data_dir().join("orchestrator/join-token")).unwrap();
    let secrets = [token, first.trim()].map(|token| token.split('-').nth(2).unwrap().to_owned());
    let key_lines = |log: &str| log.contains("PRIVATE KEY");
    for log in [orchestrator.log(), with_token.log(), with_word.log(), here.log()] {
        assert!(!log.is_empty());
        assert!(!secrets.iter().any(|secret| log.contains(secret.as_str())), "a token is in a log");
        assert!(!log.contains("a-shared-word") && !key_lines(&log), "a secret is in a log");
    }
    let config = orchestrator.run(&["agent", "config"]).expect(0);
    assert!(!config.contains("a-shared-word"), "{config}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_told_at_once_why_it_may_not_join() {
    let orchestrator = Orchestrator::start(&[]);
    let token = orchestrator.run(&["node", "token", "create"]).stdout;
    let id = token.split('-').nth(1).unwrap();
    orchestrator.run(&["node", "token", "revoke", id]).expect(0);
    let directory = tempfile::tempdir().unwrap();
    let mut command = crate::harness::skrei(["serve", "--compute", "--name", "late", "--data-dir"]);
    command.arg(directory.path());
    command.args(["-c", &format!("Compute.Orchestrators=127.0.0.1:{}", orchestrator.node_port())]);
    command.env("SKREI_COMPUTE_AUTH_TOKEN", token.trim());
    let refused = Ran::to_end(&mut command);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("the join token was revoked"), "{}", refused.said());
    assert!(refused.stderr.contains("skrei node token create"), "{}", refused.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_rejected_approved_and_deleted_by_command() {
    let orchestrator = Orchestrator::start(&["Orchestrator.NodeManager.ManualApproval=true"]);
    let node = Node::start(&orchestrator, "web-1", "rw");
    orchestrator.wait_for_nodes(1).await;
    assert!(orchestrator.run(&["node", "list"]).expect(0).contains("PENDING"));
    let meant = orchestrator.run(&["node", "approve", "web"]);
    assert!(meant.expect(3).contains("the whole id of a node, such as `web-1`"), "{}", meant.said());
    assert_eq!(orchestrator.run(&["node", "approve", "web-1"]).expect(0), "Ok\n");
    assert!(orchestrator.run(&["node", "list"]).expect(0).contains("APPROVED"));
    let again = orchestrator.run(&["node", "approve", "web-1"]);
    assert!(again.code != Some(0) && again.stderr.contains("approved already"), "{}", again.said());
    orchestrator.run(&["node", "reject", "web-1", "-m", "stolen"]).expect(0);
    orchestrator.wait_for_nodes(0).await;
    orchestrator.run(&["node", "delete", "web-1"]).expect(0);
    let listed = orchestrator.run(&["node", "list"]);
    assert!(listed.stderr.contains("No nodes"), "{}", listed.said());
    assert!(node.log().contains("node `web-1` was rejected"), "{}", node.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_is_emptied_and_what_it_missed_runs_there_later() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["a", "b"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(2).await;
    let client = orchestrator.client();
    let label = ["node", "label", "a", "rack=7", "name-"];
    assert_eq!(orchestrator.run(&label).expect(0), "Ok\n");
    let service = JobFile::new(&client, "service", skrei_test_guests::sleep(), &["600000"]).await;
    let wish = json!([{"Key": "favour_rack", "Operator": "=", "Values": ["7"]}]);
    let service = client.submit(&service.with("/Constraints", wish).manifest(), false).await.unwrap().job_id;
    let runs_on = async |job: &str, version: u64, node: &str, state: u8| {
        let there = async {
            loop {
                let executions = client.executions(job).await.unwrap().items;
                let is_it = |execution: &Execution| {
                    let found = (execution.job_version, execution.node_id.as_str());
                    found == (version, node) && execution.compute_state.state_type == state
                };
                if executions.iter().any(is_it) {
                    return executions.len();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, there).await.expect("it gets there")
    };
    runs_on(&service, 1, "a", compute_state::RUNNING).await;
    orchestrator.run(&["node", "drain", "a", "--deadline", "10m"]).expect(0);
    runs_on(&service, 1, "b", compute_state::RUNNING).await;
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let ops = client.submit(&job.manifest(), false).await.unwrap().job_id;
    assert_eq!(wait_for_end(&client, &ops).await.job.state.state_type.as_str(), "Completed");
    let missed = client.progress(&ops).await.unwrap();
    assert_eq!((missed.done, missed.missed), (1, 1), "{missed:#?}");
    assert!(missed.nodes["a"].contains("cordoned"), "{missed:#?}");

    let none = orchestrator.run(&["job", "rerun", &ops, "--failed"]);
    assert!(none.code != Some(0) && none.stderr.contains("left nothing"), "{}", none.said());
    orchestrator.run(&["node", "uncordon", "a"]).expect(0);
    orchestrator.run(&["job", "rerun", &ops, "--missed"]).expect(0);
    let all = runs_on(&ops, 2, "a", compute_state::COMPLETED).await;
    assert_eq!(all, 1, "nowhere else");
    let labels = client.node("a").await.unwrap();
    assert_eq!(labels.info.labels["rack"], "7");
    assert_eq!(labels.info.labels["name"], "a", "what the node says itself");
    orchestrator.run(&["job", "stop", &service]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_a_fleet_is_replaced_by_command_and_the_fleet_stays() {
    let orchestrator = Orchestrator::start(&[]);
    let mut nodes = [Node::start(&orchestrator, "web-1", "rw"), Node::start(&orchestrator, "web-2", "rw")];
    orchestrator.wait_for_nodes(2).await;
    let before = orchestrator.run(&["node", "authority", "show"]).expect(0);
    nodes[1].kill();
    orchestrator.wait_for_nodes(1).await;
    let rotated = orchestrator.run(&["node", "authority", "rotate"]).expect(0);
    assert!(rotated.contains(before.trim()) && rotated.contains("web-2"), "{rotated}");
    let left = async |names: &[&str]| {
        let start = std::time::Instant::now();
        while orchestrator.client().node_authority().await.unwrap().former.unwrap().nodes != names {
            assert!(start.elapsed() < PATIENCE, "{}", orchestrator.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    left(&["web-2"]).await;
    nodes[1].start_again();
    left(&[]).await;
    orchestrator.run(&["node", "authority", "drop"]).expect(0);
    // By what they have now, nodes find their orchestrator again, and a new one joins.
    for node in &mut nodes {
        node.kill();
        node.start_again();
    }
    let _third = Node::start(&orchestrator, "web-3", "rw");
    orchestrator.wait_for_nodes(3).await;
    assert!(nodes[0].log().contains("another authority is believed from now on"), "{}", nodes[0].log());
}
