//! Roll-outs: absent nodes, retries, canaries, waves, and what people say to them.

use skrei_job::{life::ExecutionState, outcome::Cause};
use skrei_scheduler::{Event, Phase, Steering};

use crate::{given::*, world::World};

fn exited() -> ExecutionState {
    ExecutionState::Failed(failure(Cause::Exited, "exited with code 1"))
}

fn five() -> World {
    World::with(["a", "b", "c", "d", "e"].map(node))
}

fn steer(world: &mut World, job: &skrei_job::JobId, steering: Steering) {
    world.handle(Event::RolloutSteered { job: job.clone(), steering });
}

#[test]
fn absent_nodes_are_listed_as_missed_and_never_dropped_in_silence() {
    let mut world = World::with([node("a"), node("b")]);
    world.leave("b");
    let job = world.submit(ops());
    assert_eq!(world.store.jobs[&job].progress.missed.len(), 1);
    world.completes(&job, "a");
    assert_eq!(world.state(&job), "Completed: 1 node missed: b: not connected");
}

#[test]
fn a_node_that_was_away_gets_its_execution_when_it_is_back_and_one_that_joins_too() {
    let mut world = World::with([node("a"), node("b")]);
    world.lose("b");
    let job = world.submit(ops().wait_for_absent("forever"));
    world.completes(&job, "a");
    assert_eq!(world.state(&job), "Running");
    world.join(node("c"));
    world.restart();
    for name in ["a", "b", "c"] {
        world.join(node(name));
    }
    assert_eq!(world.executions(&job), "a:Completed c:Assigned b:Assigned");
    world.completes(&job, "b");
    world.completes(&job, "c");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn who_does_not_come_in_time_is_missed_and_the_job_says_so() {
    let mut world = World::with([node("a"), node("b")]);
    world.lose("b");
    let job = world.submit(ops().wait_for_absent("24h"));
    world.completes(&job, "a");
    world.pass(86_401);
    assert_eq!(world.state(&job), "Failed: 1 node missed: b: not connected within 24h".replace("24h", "1d"));
}

#[test]
fn a_forgotten_node_is_no_longer_waited_for() {
    let mut world = World::with([node("a"), node("b")]);
    world.lose("b");
    let job = world.submit(ops().wait_for_absent("forever"));
    world.completes(&job, "a");
    world.handle(Event::NodeForgotten { node: skrei_job::NodeId::new("b") });
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_mishap_is_tried_again_by_rule_and_a_lasting_cause_is_not() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops().retry(1, "10s", &["exit"]));
    world.ends(&job, "a", exited());
    world.ends(&job, "b", ExecutionState::Failed(failure(Cause::NotPrepared, "not wasm")));
    world.pass(9);
    assert_eq!(world.executions(&job), "a:Failed b:Failed");
    world.pass(1);
    assert_eq!(world.executions(&job), "a:Failed b:Failed a:Assigned");
    world.completes(&job, "a");
    assert_eq!(world.state(&job), "Failed: 1 of 2 nodes failed: b: not wasm");
}

#[test]
fn a_node_that_finished_while_it_was_cut_off_does_not_run_it_again() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops().retry(3, "0s", &["node-lost"]));
    world.starts(&job, "a");
    world.lose("a");
    world.sent();
    world.join(node("a"));
    assert_eq!(world.sent(), "cancel a", "it is asked what became of it");
    world.completes(&job, "a");
    assert_eq!((world.state(&job).as_str(), world.executions(&job).as_str()), ("Completed", "a:Completed"));
}

#[test]
fn so_many_at_a_time() {
    let mut world = five();
    let job = world.submit(ops().rollout(|rollout| rollout.max_parallel = "2".into()));
    assert_eq!(world.executions(&job), "a:Assigned b:Assigned");
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed b:Assigned c:Assigned");
    for name in ["b", "c", "d", "e"] {
        world.completes(&job, name);
    }
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_canary_goes_first_and_the_others_follow_after_a_look() {
    let mut world = five();
    let job = world.submit(ops().rollout(|rollout| {
        rollout.canary = 1;
        rollout.pause = "30s".into();
    }));
    assert_eq!(world.executions(&job), "a:Assigned");
    world.completes(&job, "a");
    assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("pause of a roll-out"));
    world.restart();
    for name in ["a", "b", "c", "d", "e"] {
        world.join(node(name));
    }
    assert_eq!(world.executions(&job), "a:Completed");
    world.pass(31);
    assert_eq!(world.executions(&job), "a:Completed b:Assigned c:Assigned d:Assigned e:Assigned");
}

#[test]
fn a_canary_that_fails_stops_the_roll_out_which_can_be_resumed_for_what_is_left() {
    let mut world = five();
    let job = world.submit(ops().rollout(|rollout| rollout.canary = 1));
    world.ends(&job, "a", exited());
    assert_eq!(world.state(&job), "Running");
    assert!(world.history(&job).ends_with("Roll-out halted: 1 canary went wrong; 1 started, 4 left"));
    world.pass(3600);
    assert_eq!(world.executions(&job), "a:Failed");
    steer(&mut world, &job, Steering::Resume);
    for name in ["b", "c", "d", "e"] {
        world.completes(&job, name);
    }
    assert_eq!(world.state(&job), "Failed: 1 of 5 nodes failed: a: exited with code 1");
}

#[test]
fn too_many_failures_stop_it_and_an_abort_ends_it_with_the_truth() {
    let mut world = five();
    let job = world.submit(ops().rollout(|rollout| {
        rollout.max_parallel = "1".into();
        rollout.stop_after_failures = "40%".into();
    }));
    world.ends(&job, "a", exited());
    world.ends(&job, "b", exited());
    assert!(matches!(world.store.jobs[&job].progress.phase, Phase::Halted { .. }));
    steer(&mut world, &job, Steering::Abort);
    assert_eq!(
        world.state(&job),
        "Failed: 2 of 2 nodes failed: 2 nodes: exited with code 1; 3 nodes missed: 3 nodes: the roll-out was aborted"
    );
}

#[test]
fn a_pause_holds_back_what_is_left_and_a_resume_lets_it_go() {
    let mut world = five();
    let job = world.submit(ops().rollout(|rollout| rollout.max_parallel = "1".into()));
    steer(&mut world, &job, Steering::Pause);
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed");
    steer(&mut world, &job, Steering::Resume);
    assert_eq!(world.executions(&job), "a:Completed b:Assigned");
}

#[test]
fn the_order_is_that_of_a_label_or_shuffled_by_the_job() {
    let mut world = World::with([node("a"), labelled("b", "ring", "2"), labelled("c", "ring", "1")]);
    let one_by_one = |order: &str| {
        ops().rollout(|rollout| {
            rollout.max_parallel = "1".into();
            rollout.order = order.into();
        })
    };
    let job = world.submit(one_by_one("label ring"));
    for name in ["c", "b", "a"] {
        assert!(world.executions(&job).contains(&format!("{name}:Assigned")));
        world.completes(&job, name);
    }
    let mut first = std::collections::BTreeSet::new();
    for _ in 0..12 {
        let job = world.submit(one_by_one("random"));
        first.insert(world.executions(&job));
        world.stop(&job);
    }
    assert!(first.len() > 1, "{first:?}");
}

#[test]
fn a_service_and_a_daemon_roll_out_as_their_executions_run() {
    let mut world = World::with([node("a"), node("b")]);
    for file in [service(2), daemon()] {
        let job = world.submit(file.rollout(|rollout| rollout.max_parallel = "1".into()));
        assert_eq!(world.store.current(&job).len(), 1);
        let first = world.store.current(&job)[0].node.to_string();
        world.starts(&job, &first);
        assert_eq!(world.store.current(&job).len(), 2, "one that runs lets the next begin");
    }
}

#[test]
fn wishes_come_first_and_exclude_nobody() {
    let mut world = World::with([node("a"), labelled("b", "disk", "ssd"), node("c")]);
    for _ in 0..4 {
        let job = world.submit(batch(1).only("favour_disk", "=", &["ssd"]));
        assert_eq!(world.executions(&job), "b:Assigned");
    }
    let everywhere = world.submit(batch(1).cpu(4000).only("favour_disk", "=", &["ssd"]));
    assert!(world.executions(&everywhere).ends_with("Assigned"));
}
