//! Jobs that follow their fleet: nodes that join, leave and come back, and roll-outs that go step by step.

use serde_json::json;
use skrei_protocol::{
    api::{execution::compute_state, rollout::Progress},
    client::Client,
};

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, wait_for_end};

/// Waits until a job's progress is as wanted. Something happens to the job whenever it changes.
async fn until(client: &Client, job: &str, wanted: impl Fn(&Progress) -> bool) -> Progress {
    let mut events = client.events(Some(job), 0).await.unwrap();
    let mut seen = Progress::default();
    let waiting = async {
        loop {
            seen = client.progress(job).await.unwrap();
            if wanted(&seen) {
                return;
            }
            events.next().await.unwrap();
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "it did not come to that: {seen:#?}");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_also_runs_on_a_node_that_joins_later_and_on_one_that_was_killed() {
    let orchestrator = Orchestrator::start(&[]);
    let mut first = Node::start(&orchestrator, "first", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "daemon", skrei_test_guests::sleep(), &["600000"]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    until(&client, &id, |progress| progress.running == 1).await;

    let _second = Node::start(&orchestrator, "second", "rw");
    until(&client, &id, |progress| progress.running == 2).await;
    let states_on_first = async || {
        let executions = client.executions(&id).await.unwrap().items;
        let on_first = executions.into_iter().filter(|execution| execution.node_id == "first");
        on_first.map(|execution| execution.compute_state.state_type).collect::<Vec<_>>()
    };
    let comes_to = async |wanted: &[u8]| {
        let mut events = client.events(Some(&id), 0).await.unwrap();
        let waiting = async {
            while states_on_first().await != wanted {
                events.next().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "{}", orchestrator.run(&["job", "history", &id]).said());
    };
    comes_to(&[compute_state::RUNNING]).await;
    first.kill();
    first.start_again();
    comes_to(&[compute_state::FAILED, compute_state::RUNNING]).await;
    orchestrator.run(&["job", "stop", &id]).expect(0);
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_started_again_after_it_exits() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "service", skrei_test_guests::exit(), &["3"]).await;
    let job = job.with("/Retry", json!({"Backoff": "1s"}));
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let again = async {
        let mut events = client.events(Some(&id), 0).await.unwrap();
        while client.executions(&id).await.unwrap().items.len() < 3 {
            events.next().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("three attempts");
    orchestrator.run(&["job", "stop", &id]).expect(0);
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_out_stops_after_its_canary_failed_and_goes_on_when_told_to() {
    let orchestrator = Orchestrator::start(&[]);
    let _nodes = ["a", "b", "c"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(3).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::exit(), &["4"]).await;
    let job = job.with("/Rollout", json!({"Canary": 1, "MaxParallel": "1"}));
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let halted = until(&client, &id, |progress| progress.phase == "Halted").await;
    assert_eq!((halted.failed, halted.waiting), (1, 2), "{halted:#?}");

    let said = orchestrator.run(&["job", "rollout", "status", &id]).expect(0);
    for words in ["1 failed, 2 waiting", "Halted", "canary went wrong", "exited with code 4"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let described = orchestrator.run(&["job", "describe", &id]).expect(0);
    assert!(described.contains("1 failed, 2 waiting"), "{described}");

    let history = orchestrator.run(&["job", "history", &id]).expect(0);
    assert!(history.contains("Roll-out halted: 1 canary went wrong; 1 started, 2 left"), "{history}");
    orchestrator.run(&["job", "rollout", "resume", &id]).expect(0);
    let ended = wait_for_end(&client, &id).await;
    assert_eq!(ended.job.state.state_type.as_str(), "Failed");
    let progress = client.progress(&id).await.unwrap();
    assert_eq!((progress.failed, progress.waiting), (3, 0), "{progress:#?}");
    let refused = orchestrator.run(&["job", "rollout", "pause", &id]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("has ended"), "{}", refused.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_gets_its_execution_when_it_is_back_if_the_job_waits() {
    let orchestrator = Orchestrator::start(&[]);
    let _there = Node::start(&orchestrator, "there", "rw");
    let mut away = Node::start(&orchestrator, "away", "rw");
    orchestrator.wait_for_nodes(2).await;
    away.kill();
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let waits = job.clone().with("/Rollout", json!({"WaitForAbsent": "forever"}));
    let id = client.submit(&waits.manifest(), false).await.unwrap().job_id;
    let waiting = until(&client, &id, |progress| progress.done == 1).await;
    assert_eq!(waiting.waiting, 1, "{waiting:#?}");
    assert!(waiting.nodes.contains_key("away"), "{waiting:#?}");

    let misses = client.submit(&job.manifest(), false).await.unwrap().job_id;
    let ended = wait_for_end(&client, &misses).await;
    assert_eq!(ended.job.state.state_type.as_str(), "Completed");
    let missed = client.progress(&misses).await.unwrap();
    assert_eq!((missed.done, missed.missed), (1, 1), "{missed:#?}");

    away.start_again();
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Completed");
}
