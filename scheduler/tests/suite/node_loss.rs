//! Nodes that fall silent, and nodes that come back.

use skrei_job::{NodeId, life::ExecutionState, outcome::RunOutput};
use skrei_scheduler::{Event, NodeOrder};

use crate::{given::*, world::World};

#[test]
fn a_lost_node_gives_its_batch_work_back() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(1));
    world.join(node("b"));
    world.leave("a");
    assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("node silence grace"));
    assert_eq!(world.executions(&job), "a:Assigned");
    world.pass(61);
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    world.completes(&job, "b");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_node_back_within_the_grace_has_lost_nothing_and_is_told_again() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.leave("a");
    world.pass(30);
    world.sent();
    world.join(node("a"));
    assert_eq!(world.sent(), "run a");
    world.pass(600);
    assert_eq!(world.executions(&job), "a:Assigned");
}

#[test]
fn an_ops_job_whose_node_was_lost_is_failed_and_says_so() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.completes(&job, "b");
    world.lose("a");
    assert_eq!(
        world.state(&job),
        "Failed: 1 of 2 nodes failed: a: lost: the node was not heard from for too long, or taken out of the fleet"
    );
}

#[test]
fn the_truth_about_a_lost_execution_replaces_the_guess() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.lose("a");
    world.join_with(node("a"), &[world.execution(&job, "a").id]);
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed b:Assigned");
    world.completes(&job, "b");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn the_truth_that_comes_after_the_job_has_ended_changes_the_execution_but_not_the_job() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.lose("a");
    assert!(world.state(&job).starts_with("Failed"));
    let held = world.execution(&job, "a").id;
    world.join_with(node("a"), &[held]);
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed");
    assert!(world.state(&job).starts_with("Failed"));
    assert!(world.history(&job).ends_with("Execution/Completed successfully (reported after it was lost)"));
}

#[test]
fn a_replaced_execution_is_stopped_when_its_node_is_back_and_only_recorded() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(1));
    world.join(node("b"));
    world.lose("a");
    world.sent();
    world.join_with(node("a"), &[world.execution(&job, "a").id]);
    assert_eq!(world.sent(), "cancel a");
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    assert!(world.history(&job).ends_with("(reported after it was replaced)"));
}

#[test]
fn a_lost_partition_that_waits_is_done_when_the_truth_says_so() {
    let mut world = World::with([small("a", 1000), small("b", 1000)]);
    let job = world.submit(batch(1).cpu(1000));
    let name = world.store.current(&job)[0].node.to_string();
    world.submit(batch(1).cpu(1000));
    world.lose(&name);
    assert_eq!(world.executions(&job), format!("{name}:Lost"));
    world.completes(&job, &name);
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn what_ended_on_a_node_that_was_given_up_is_not_taken_for_lost() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.leave("a");
    let order = NodeOrder::Drain { until: world.now };
    world.handle(Event::NodeOrdered { node: NodeId::new("a"), order });
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    // It ended while the node was away, and the node says so as soon as it is back.
    world.join(node("a"));
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Completed b:Assigned");
    world.completes(&job, "b");
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_node_is_told_to_cancel_what_nobody_knows() {
    let mut world = World::with([]);
    world.join_with(node("a"), &[skrei_job::ExecutionId::new("e-unknown")]);
    assert_eq!(world.sent(), "cancel a");
}

#[test]
fn a_forgotten_node_is_lost_at_once() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.handle(Event::NodeForgotten { node: NodeId::new("a") });
    assert_eq!(world.executions(&job), "a:Lost");
    assert_eq!(world.scheduler.plan(&ops().spec()), []);
}

#[test]
fn an_ended_job_is_not_remembered_for_a_node_that_was_removed() {
    let mut world = World::with([node("a"), node("b"), node("c")]);
    let job = world.submit(ops());
    world.lose("a");
    world.lose("b");
    world.completes(&job, "c");
    assert!(world.state(&job).starts_with("Failed"), "{}", world.state(&job));
    world.handle(Event::NodeForgotten { node: NodeId::new("a") });
    assert_eq!(world.scheduler.job_count(), 1, "the other may still say how it ended there");
    world.restart();
    assert_eq!(world.scheduler.job_count(), 1);
    world.handle(Event::NodeForgotten { node: NodeId::new("b") });
    assert_eq!(world.scheduler.job_count(), 0);
    world.restart();
    assert_eq!(world.scheduler.job_count(), 0);
}

#[test]
fn a_report_from_the_wrong_node_changes_nothing() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    let execution = world.execution(&job, "a").id;
    let state = ExecutionState::Completed(RunOutput::default());
    let decision = world.handle(Event::ExecutionEnded { execution, node: NodeId::new("b"), state });
    assert_eq!(decision, Default::default());
}
