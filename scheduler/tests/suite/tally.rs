//! Partial truth: what a job says of itself while it goes on.

use skrei_job::{life::ExecutionState, outcome::Cause};
use skrei_scheduler::Tally;

use crate::{given::*, world::World};

#[test]
fn every_node_is_counted_once_and_those_that_are_not_well_say_why() {
    let mut world = World::with(["a", "b", "c", "d", "e"].map(node));
    world.lose("e");
    let file = ops().wait_for_absent("forever").rollout(|rollout| rollout.max_parallel = "3".into());
    let job = world.submit(file);
    world.completes(&job, "a");
    world.ends(&job, "b", ExecutionState::Refused(refusal("on no entry")));
    world.ends(&job, "c", ExecutionState::Failed(failure(Cause::Exited, "exited with code 1")));
    let executions: Vec<_> = world.store.current(&job).into_iter().cloned().collect();
    let stored = &world.store.jobs[&job];
    let tally = Tally::of(stored.spec.kind(), &executions, &stored.progress);
    assert_eq!(tally.to_string(), "1 done, 1 going on, 1 failed, 1 refused, 1 waiting");
    let reasons: Vec<_> = tally.reasons.iter().map(|(node, why)| format!("{node}: {why}")).collect();
    assert_eq!(
        reasons,
        [
            "b: refused (allow-list): on no entry",
            "c: exited with code 1",
            "e: waiting for its turn, or for the node"
        ]
    );
}
