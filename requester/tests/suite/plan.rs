//! A plan has the own word of every node that says what it would make of the job.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use skrei_job::{
    Manifest,
    outcome::{Refusal, Rule},
    spec::Mode,
};
use skrei_protocol::link::{FromNode, Granted, Judge, Judgement, ToNode};

use super::harness::{Node, Orchestrator, hello, job, known};

/// A node that can say what it would make of a job.
async fn judging(orchestrator: &Orchestrator, name: &str) -> Node {
    let mut node = orchestrator.dial(known(&orchestrator.identity(name).await)).await;
    let mut first = hello(name);
    first.info.judges = true;
    node.say(FromNode::Hello(first)).await;
    node.hear_until(|message| if matches!(message, ToNode::Welcome(_)) { Ok(()) } else { Err(message) })
        .await;
    node
}

async fn asked(node: &mut Node) -> Judge {
    node.hear_until(|message| if let ToNode::Judge(judge) = message { Ok(judge) } else { Err(message) }).await
}

/// A job that wants one path of the host.
fn wanting() -> Manifest {
    let mut written = serde_json::to_value(job("ops")).unwrap();
    let local = json!({"Source": {"Type": "local", "Params": {"SourcePath": "/srv/a"}}, "Target": "/srv/a"});
    written["Tasks"][0]["InputSources"].as_array_mut().unwrap().push(local);
    serde_json::from_value(written).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_says_its_own_and_one_that_says_nothing_or_goes_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut nodes = Vec::new();
    for name in ["a-silent", "b-goes", "c-grants", "d-refuses"] {
        nodes.push(judging(&orchestrator, name).await);
    }
    let [silent, mut goes, mut grants, mut refuses] = nodes.try_into().ok().unwrap();
    let answering = tokio::spawn(async move {
        asked(&mut goes).await;
        drop(goes);
        let granted = Granted { path: "/srv/a".into(), target: "/srv/a".into(), mode: Mode::ReadOnly };
        // More than it was asked about.
        let request = asked(&mut grants).await.request;
        grants.say(FromNode::Judged(Judgement { request, result: Ok(vec![granted; 3]) })).await;
        let request = asked(&mut refuses).await.request;
        let refusal = Refusal { rule: Rule::AllowList, message: "not here".into(), hint: None };
        refuses.say(FromNode::Judged(Judgement { request, result: Err(refusal) })).await;
        (grants, refuses)
    });
    let start = std::time::Instant::now();
    let planned = orchestrator.client.plan(&wanting(), &BTreeSet::new(), false).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(9), "one silent node does not take the time of all");
    let nodes: Vec<_> = planned
        .nodes
        .iter()
        .map(|node| (node.node_id.as_str(), node.mounts.len(), node.reasons.join("; ")))
        .collect();
    assert_eq!(
        nodes,
        [
            ("a-silent", 0, String::new()),
            ("b-goes", 0, String::new()),
            ("c-grants", 1, String::new()),
            ("d-refuses", 0, "not here".to_owned()),
        ]
    );
    let warning = planned.warnings.unwrap().join("\n");
    assert!(warning.contains("from a-silent, b-goes:") && warning.contains("plan again"), "{warning}");
    answering.await.unwrap();
    drop(silent);
    orchestrator.stop().await;
}
