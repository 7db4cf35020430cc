//! New versions of a job.

use skrei_job::{life::ExecutionState, outcome::Cause};

use crate::{given::*, world::World};

#[test]
fn a_new_version_cancels_the_old_one_and_starts_afresh() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    let old = world.execution(&job, "a").id;
    world.update(&job, ops().cpu(100));
    assert_eq!(world.store.executions[&old].state.as_str(), "Cancelled");
    assert_eq!((world.executions(&job).as_str(), world.store.jobs[&job].version), ("a:Assigned", 2));
    assert_eq!(world.sent(), "run a, cancel a, run a");
    world.completes(&job, "a");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn the_failures_of_an_old_version_do_not_fail_the_new_one() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.ends(&job, "a", ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")));
    assert!(world.state(&job).starts_with("Failed"));
    world.update(&job, ops());
    world.completes(&job, "a");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn timeouts_count_from_the_submission_of_this_version() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops().total_timeout(100));
    world.pass(90);
    world.update(&job, ops().total_timeout(100));
    world.pass(90);
    assert_eq!(world.state(&job), "Running");
    world.pass(11);
    assert_eq!(world.state(&job), "Failed: not done within its total timeout of 100 s");
}

#[test]
fn an_update_may_change_the_type_whole() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.update(&job, batch(1));
    assert_eq!(world.store.current(&job).len(), 1);
    let name = world.store.current(&job)[0].node.to_string();
    world.completes(&job, &name);
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_late_outcome_of_the_old_version_does_not_touch_the_new_one() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    let old = world.execution(&job, "a");
    world.update(&job, ops());
    world.handle(skrei_scheduler::Event::ExecutionEnded {
        execution: old.id,
        node: old.node,
        state: ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")),
    });
    assert_eq!(world.executions(&job), "a:Assigned");
    assert_eq!(world.store.history[&job].last().unwrap().version, 1);
}
