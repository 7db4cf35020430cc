//! What becomes of a node that somebody approves, rejects or deletes.

use skrei_protocol::{
    api::error::Code,
    client::Error,
    join::Refusal,
    link::{ARTIFACTS_PATH, ToNode},
};

use super::harness::{Orchestrator, completed, job, known};

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_node_is_cut_off_at_once_and_let_in_again_when_it_is_approved() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    // It may wait until somebody can run it.
    let mut patient = job("batch");
    patient.tasks[0].timeouts.queue_timeout = 600;
    let id = orchestrator.submit(&patient).await;
    let execution = node.assignment().await.execution;
    let requests = orchestrator.requests(known(&orchestrator.identity("a").await));
    let artifact = orchestrator.url(&format!("{ARTIFACTS_PATH}/{}", "0".repeat(64)));
    assert_eq!(requests.get(&artifact).send().await.unwrap().status(), 403);
    orchestrator.order("a", "reject").await.unwrap();
    let ToNode::Cancel { execution: cancelled, .. } = node.hear().await else { panic!("it is told to stop") };
    assert_eq!(cancelled, execution);
    let ToNode::Rejected { message, hint } = node.hear().await else { panic!("not turned away") };
    assert!(message.contains("node `a` was rejected") && hint.contains("skrei node approve a"), "{message}");
    // The connection of before was closed; the next one is answered.
    let answer = match requests.get(&artifact).send().await {
        Ok(answer) => answer,
        Err(_) => requests.get(&artifact).send().await.unwrap(),
    };
    assert_eq!(answer.json::<Refusal>().await.unwrap().message, message);
    let mut node = orchestrator.dial_as("a").await;
    assert!(matches!(node.hear().await, ToNode::Rejected { .. }));
    let state = orchestrator.client.node("a").await.unwrap();
    assert_eq!((state.membership.as_str(), state.connection.as_str()), ("REJECTED", "DISCONNECTED"));
    let conflict = orchestrator.order("a", "reject").await.unwrap_err();
    assert!(matches!(&conflict, Error::Api(body) if body.code == Code::ConflictNodeState), "{conflict}");

    orchestrator.order("a", "approve").await.unwrap();
    let mut node = orchestrator.node("a").await;
    let again = loop {
        match node.hear().await {
            ToNode::Run(assignment) => break *assignment,
            ToNode::Cancel { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert_ne!(again.execution, execution, "what was taken from it was lost");
    node.report(&again.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
}

/// Each hears at once that it is turned away; its link ends while the order is still being decided.
#[tokio::test(flavor = "multi_thread")]
async fn connected_nodes_are_deleted_and_whoever_asked_for_it_is_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let names: Vec<_> = (0..32).map(|number| format!("n{number}")).collect();
    let mut nodes = Vec::new();
    for name in &names {
        nodes.push(orchestrator.node(name).await);
    }
    let deleted = names.iter().map(|name| orchestrator.order(name, "delete"));
    for deleted in futures_util::future::join_all(deleted).await {
        deleted.unwrap();
    }
    for node in &mut nodes {
        assert!(matches!(node.hear().await, ToNode::Rejected { .. }));
    }
    assert!(orchestrator.client.nodes("").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_deleted_node_is_free_and_its_certificate_worth_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    orchestrator.order("a", "delete").await.unwrap();
    let ToNode::Rejected { message, .. } = node.hear().await else { panic!("not turned away") };
    assert!(message.contains("node `a` was deleted"), "{message}");
    assert!(orchestrator.client.nodes("").await.unwrap().is_empty());
    let mut node = orchestrator.dial_as("a").await;
    assert!(matches!(node.hear().await, ToNode::Rejected { .. }));

    let before = orchestrator.identity("a").await;
    std::fs::remove_file(orchestrator.file("a", "identity.pem")).unwrap();
    let _node = orchestrator.node("a").await;
    let mut impostor = orchestrator.dial(known(&before)).await;
    let ToNode::Rejected { message, .. } = impostor.hear().await else { panic!("let in") };
    assert!(message.contains("does not know the node's certificate"), "{message}");
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let mut impostor = orchestrator.dial(known(&before)).await;
    assert!(matches!(impostor.hear().await, ToNode::Rejected { .. }), "a restart changes nothing of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_gets_no_work_before_it_is_approved_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator =
        Orchestrator::start_with(directory.path(), |config| config.manual_approval = true).await;
    let mut node = orchestrator.node("a").await;
    assert_eq!(orchestrator.client.node("a").await.unwrap().membership, "PENDING");
    let mut daemon = job("daemon");
    daemon.name = "kept".to_owned();
    orchestrator.submit(&daemon).await;
    orchestrator.order("a", "approve").await.unwrap();
    // Approval alone is enough: nothing else has to happen.
    node.assignment().await;
    drop(node);
    let mut node = orchestrator.node("a").await;
    node.assignment().await;
    assert_eq!(orchestrator.client.node("a").await.unwrap().membership, "APPROVED");
}
