//! Each partition done exactly once, wherever there is room.

use std::collections::BTreeSet;

use skrei_job::{
    life::ExecutionState,
    outcome::{Cause, Denial, RunOutput},
};

use crate::{given::*, world::World};

#[test]
fn every_partition_is_done_once_and_the_work_is_spread() {
    let mut world = World::with([node("a"), node("b"), node("c")]);
    let job = world.submit(batch(3));
    let nodes: BTreeSet<_> = world.store.current(&job).iter().map(|e| e.node.clone()).collect();
    let partitions: Vec<_> = world.store.current(&job).iter().map(|e| e.partition).collect();
    assert_eq!((nodes.len(), partitions), (3, vec![0, 1, 2]));
    for name in ["a", "b", "c"] {
        assert!(world.state(&job).starts_with("Running"));
        world.completes(&job, name);
    }
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn single_jobs_do_not_all_begin_on_the_same_node() {
    let mut chosen = BTreeSet::new();
    let mut world = World::with([node("a"), node("b"), node("c"), node("d")]);
    for _ in 0..12 {
        let job = world.submit(batch(1));
        let name = world.store.current(&job)[0].node.to_string();
        world.completes(&job, &name);
        chosen.insert(name);
    }
    assert!(chosen.len() > 1, "{chosen:?}");
}

#[test]
fn a_count_of_zero_is_done_at_once() {
    let mut world = World::with([]);
    let job = world.submit(batch(0));
    assert_eq!(world.state(&job), "Completed: nothing to do: `Count` is 0");
}

#[test]
fn a_refused_partition_tries_every_other_node_once_and_then_fails_with_the_reasons() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(batch(1));
    let first = world.store.current(&job)[0].node.to_string();
    let second = if first == "a" { "b" } else { "a" };
    world.ends(&job, &first, ExecutionState::Refused(refusal("not here")));
    assert_eq!(world.state(&job), "Running");
    world.ends(&job, second, ExecutionState::Refused(refusal("not here")));
    assert_eq!(
        world.state(&job),
        "Failed: no node can run this job: 2 nodes: refused (allow-list): not here"
    );
}

#[test]
fn an_exit_code_is_not_retried_and_cancels_the_rest() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(batch(2));
    world.ends(&job, "a", ExecutionState::Failed(failure(Cause::Exited, "exited with code 3")));
    let partition = world.execution(&job, "a").partition;
    assert_eq!(world.state(&job), format!("Failed: partition {partition} failed on a: exited with code 3"));
    assert_eq!(world.execution(&job, "b").state.as_str(), "Cancelled");
}

#[test]
fn an_interrupted_partition_is_tried_once_more_elsewhere() {
    let mut world = World::with([node("a"), node("b"), node("c")]);
    let job = world.submit(batch(1));
    let interrupted = || ExecutionState::Failed(failure(Cause::Interrupted, "node stopped"));
    for _ in 0..2 {
        assert_eq!(world.state(&job), "Running");
        let running = world.store.current(&job).into_iter().find(|e| !e.state.is_terminal()).unwrap();
        let name = running.node.to_string();
        world.ends(&job, &name, interrupted());
    }
    assert_eq!(world.store.current(&job).len(), 2);
    assert!(world.state(&job).starts_with("Failed: failed on "), "{}", world.state(&job));
}

#[test]
fn what_a_guest_was_denied_stands_in_the_history_with_its_rule() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(1));
    let denial = Denial { rule: "not-listed".into(), message: "a request to b.example:80 was denied".into() };
    let output = RunOutput { denials: vec![denial], ..RunOutput::default() };
    world.ends(&job, "a", ExecutionState::Completed(output));
    let history = world.history(&job);
    assert!(
        history.contains("Execution/Network: a request to b.example:80 was denied; Execution/Completed"),
        "{history}"
    );
    let denied = world.store.history[&job].iter().find(|entry| entry.details.contains_key("Rule")).unwrap();
    assert_eq!((denied.details["Rule"].as_str(), denied.execution.is_some()), ("not-listed", true));
}
