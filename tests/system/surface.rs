//! The API and the commands for looking at things tell the same story.

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
