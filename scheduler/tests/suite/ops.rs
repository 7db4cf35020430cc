//! Once on every matching node.

use skrei_job::{life::ExecutionState, outcome::Cause};

use crate::{given::*, world::World};

#[test]
fn an_ops_job_runs_once_on_every_connected_node_and_tells_its_story() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    assert_eq!(world.executions(&job), "a:Assigned b:Assigned");
    assert_eq!(world.sent(), "run a, run b");
    for name in ["a", "b"] {
        world.starts(&job, name);
        world.completes(&job, name);
    }
    assert_eq!(world.state(&job), "Completed");
    assert_eq!(
        world.history(&job),
        "Submission/Job submitted; Scheduling/Requested execution on a; Scheduling/Requested execution on b; \
         State Update/Running; Execution/Running; Execution/Completed successfully; Execution/Running; \
         Execution/Completed successfully; State Update/Completed"
    );
    assert_eq!(world.scheduler.job_count(), 0, "an ended job is forgotten");
}

#[test]
fn a_large_fleet_gets_its_work_at_once() {
    let mut world = World::with((0..1000).map(|number| node(&format!("n-{number}"))));
    let job = world.submit(ops());
    assert_eq!(world.sent.len(), 1000, "no part of it waits for a later look");
    assert_eq!(world.store.current(&job).len(), 1000);
}

#[test]
fn one_failed_node_fails_the_job_after_the_others_are_done() {
    let mut world = World::with([node("a"), node("b"), node("c")]);
    let job = world.submit(ops());
    world.ends(&job, "b", ExecutionState::Failed(failure(Cause::NotPrepared, "module is not wasm")));
    assert_eq!(world.state(&job), "Running");
    world.completes(&job, "a");
    world.completes(&job, "c");
    assert_eq!(world.state(&job), "Failed: 1 of 3 nodes failed: b: module is not wasm");
}

#[test]
fn a_job_that_every_node_refuses_is_failed_not_completed() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    for name in ["a", "b"] {
        world.ends(&job, name, ExecutionState::Refused(refusal("`/etc` is on no entry")));
    }
    assert_eq!(
        world.state(&job),
        "Failed: 2 of 2 nodes failed: 2 nodes: refused (allow-list): `/etc` is on no entry"
    );
    let refused = world.store.history[&job].iter().find(|entry| entry.details.contains_key("Rule")).unwrap();
    assert_eq!(refused.message, "Refused by a: `/etc` is on no entry");
    assert_eq!(refused.details["Hint"], "allow it");
    assert_eq!(refused.details["NodeID"], "a");
}

#[test]
fn a_node_that_joins_later_gets_nothing() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.join(node("b"));
    assert_eq!(world.executions(&job), "a:Assigned");
}

#[test]
fn with_a_queue_timeout_it_waits_for_a_first_node() {
    let mut world = World::with([]);
    let job = world.submit(ops().queue_timeout(60));
    assert_eq!(world.state(&job), "Queued: no node can run this job: no node is known");
    world.join(node("a"));
    assert_eq!(world.executions(&job), "a:Assigned");
    assert_eq!(world.state(&job), "Running");
}

#[test]
fn the_queue_timeout_ends_the_wait_and_says_so() {
    let mut world = World::with([]);
    let job = world.submit(ops().queue_timeout(60));
    assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("queue timeout"));
    world.pass(61);
    assert_eq!(
        world.state(&job),
        "Failed: not placed within its queue timeout of 60 s; no node can run this job: no node is known"
    );
}

#[test]
fn the_total_timeout_fails_the_job_and_cancels_what_runs() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops().total_timeout(10));
    world.pass(11);
    assert_eq!(world.state(&job), "Failed: not done within its total timeout of 10 s");
    assert_eq!(world.executions(&job), "a:Cancelled");
    assert_eq!(world.sent(), "run a, cancel a");
}
