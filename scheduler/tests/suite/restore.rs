//! Restarts of the orchestrator.

use skrei_job::{NodeId, life::ExecutionState, outcome::RunOutput};
use skrei_scheduler::Event;

use crate::{
    given::*,
    world::{TICK, World},
};

#[test]
fn after_a_restart_running_jobs_go_on_and_nodes_are_told_again() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.starts(&job, "a");
    world.restart();
    world.sent();
    world.join(node("a"));
    world.join(node("b"));
    assert_eq!(world.sent(), "run a, run b");
    world.completes(&job, "a");
    world.completes(&job, "b");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_node_that_was_deleted_is_waited_for_no_longer_after_a_restart() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops().retry(1, "0s", &["node-lost"]));
    world.handle(Event::NodeForgotten { node: NodeId::new("a") });
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    world.restart();
    world.join(node("b"));
    world.completes(&job, "b");
    let state = world.state(&job);
    assert!(state.starts_with("Failed: 1 of 2 nodes failed: a: lost:"), "{state}");
}

#[test]
fn a_job_for_which_a_restart_finds_nothing_left_to_do_ends() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops().retry(1, "0s", &["node-lost"]));
    world.handle(Event::NodeForgotten { node: NodeId::new("a") });
    // As a program left it that went on waiting for the node that was deleted.
    let on_b = world.execution(&job, "b").id;
    let stored = world.store.executions.get_mut(&on_b).unwrap();
    stored.state = ExecutionState::Completed(RunOutput::default());
    world.restart();
    assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("nothing left to do"));
    world.pass(0);
    assert!(world.state(&job).starts_with("Failed: 1 of 2 nodes failed: a: lost:"), "{}", world.state(&job));
}

#[test]
fn every_node_has_a_whole_grace_to_come_back() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.now = world.now.after(std::time::Duration::from_secs(3600));
    world.restart();
    world.pass(59);
    assert_eq!(world.executions(&job), "a:Assigned");
    world.pass(2);
    assert_eq!(world.executions(&job), "a:Lost");
}

#[test]
fn what_waited_before_a_restart_still_waits_and_is_served() {
    let mut world = World::with([small("a", 1000)]);
    let first = world.submit(batch(1).cpu(1000));
    let second = world.submit(batch(2).cpu(1000));
    let later = world.submit(ops().only("name", "=", &["z"]).queue_timeout(600));
    world.restart();
    world.join(small("a", 1000));
    assert_eq!(world.executions(&second), "");
    for job in [&first, &second, &second] {
        world.completes(job, "a");
    }
    assert_eq!(world.state(&second), "Completed");
    world.join(node("z"));
    assert_eq!(world.executions(&later), "z:Assigned");
}

#[test]
fn timeouts_go_on_over_a_restart() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops().total_timeout(100));
    world.pass(50);
    world.restart();
    world.join(node("a"));
    world.pass(51);
    assert_eq!(world.state(&job), "Failed: not done within its total timeout of 100 s");
}

#[test]
fn after_a_restart_timeouts_are_due_to_the_nanosecond_when_they_were_before() {
    let mut world = World::with([node("a")]);
    let total = world.submit(ops().total_timeout(40));
    let queue = world.submit(batch(1).only("name", "=", &["z"]).queue_timeout(30));
    let due = |world: &World, job, seconds| {
        world.store.jobs[job].submitted.after(std::time::Duration::from_secs(seconds))
    };
    world.pass(10);
    world.restart();
    world.join(node("a"));
    let first = world.scheduler.next_wakeup();
    assert_eq!(first, Some((due(&world, &queue, 30), "queue timeout")));
    world.pass(25);
    assert!(world.state(&queue).starts_with("Failed: not placed within its queue timeout of 30 s"));
    assert_eq!(world.store.jobs[&queue].modified, due(&world, &queue, 30).after(TICK));
    assert_eq!(world.scheduler.next_wakeup(), Some((due(&world, &total, 40), "total timeout")));
}

#[test]
fn what_was_held_for_room_is_still_held() {
    let mut world = World::with([small("a", 1000)]);
    let running = world.submit(batch(1).cpu(1000));
    let held = world.submit(ops().cpu(500));
    world.restart();
    world.sent();
    world.join(small("a", 1000));
    assert_eq!(world.sent(), "run a");
    world.completes(&running, "a");
    assert_eq!(world.sent(), "run a");
    world.completes(&held, "a");
    assert_eq!(world.state(&held), "Completed");
}

#[test]
fn the_truth_about_a_lost_execution_is_still_recorded_after_a_restart() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.lose("a");
    world.restart();
    world.join(node("a"));
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed");
}
