//! Running again what is left of a job.

use skrei_job::{JobId, life::ExecutionState, outcome::Cause};
use skrei_scheduler::{Only, Tally};

use crate::{given::*, world::World};

/// What is left of the latest version.
fn left(world: &World, job: &JobId, failed: bool, missed: bool) -> Only {
    let stored = &world.store.jobs[job];
    let executions: Vec<_> = world.store.current(job).into_iter().cloned().collect();
    Tally::left(stored.spec.kind(), &executions, &stored.progress, failed, missed)
}

fn fails(world: &mut World, job: &JobId, node: &str) {
    world.ends(job, node, ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")));
}

#[test]
fn only_the_nodes_that_failed_or_were_missed_run_again() {
    let mut world = World::with([node("a"), node("b"), node("c")]);
    world.leave("c");
    let job = world.submit(ops());
    world.completes(&job, "a");
    fails(&mut world, &job, "b");
    assert!(world.state(&job).starts_with("Failed"));
    let failed = left(&world, &job, true, false);
    world.run_again(&job, ops(), failed);
    assert_eq!(world.executions(&job), "b:Assigned");
    world.restart();
    world.join(node("a"));
    world.join(node("b"));
    world.join(node("d"));
    world.completes(&job, "b");
    assert_eq!(world.executions(&job), "b:Completed");
    assert_eq!(world.state(&job), "Completed", "the others are no affair of this version");
    assert!(left(&world, &job, true, true).is_everything(), "nothing is left");
}

#[test]
fn a_node_that_was_missed_gets_its_execution_when_it_is_there() {
    let mut world = World::with([node("a"), node("b")]);
    world.leave("b");
    let job = world.submit(ops());
    world.completes(&job, "a");
    world.join(node("b"));
    let missed = left(&world, &job, false, true);
    world.run_again(&job, ops(), missed);
    assert_eq!(world.executions(&job), "b:Assigned");
}

#[test]
fn only_the_partitions_that_failed_run_again_also_after_a_restart() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(3).retry(0, "", &[]));
    let executions: Vec<_> = world.store.current(&job).into_iter().cloned().collect();
    let ends = [
        ExecutionState::Completed(Default::default()),
        ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")),
    ];
    for (execution, state) in executions.iter().zip(ends) {
        let (execution, node) = (execution.id.clone(), execution.node.clone());
        world.handle(skrei_scheduler::Event::ExecutionEnded { execution, node, state });
    }
    assert!(world.state(&job).starts_with("Failed"), "{}", world.state(&job));
    let failed = left(&world, &job, true, false);
    assert_eq!(
        failed.partitions.iter().copied().collect::<Vec<_>>(),
        [1, 2],
        "the third was cancelled with it"
    );
    world.run_again(&job, batch(3), failed);
    world.restart();
    world.join(node("a"));
    assert_eq!(world.executions(&job), "a:Assigned a:Assigned");
    for execution in world.store.current(&job).into_iter().cloned().collect::<Vec<_>>() {
        let state = ExecutionState::Completed(Default::default());
        let (execution, node) = (execution.id, execution.node);
        world.handle(skrei_scheduler::Event::ExecutionEnded { execution, node, state });
    }
    assert_eq!(world.state(&job), "Completed");
}

#[test]
fn a_version_that_has_nothing_of_what_was_left_ends_at_once() {
    for (file, state) in [
        (batch(2), "Completed: nothing to do"),
        (service(2), "Queued: nothing to run"),
        (service(2).rollout(|rollout| rollout.max_parallel = "1".into()), "Queued: nothing to run"),
    ] {
        let mut world = World::with([node("a"), node("b")]);
        let job = world.submit(file.clone());
        world.stop(&job);
        // What was left of another version, which had more partitions.
        let only = Only { partitions: [7].into(), ..Only::default() };
        world.run_again(&job, file, only);
        assert!(world.state(&job).starts_with(state), "{}", world.state(&job));
    }
}
