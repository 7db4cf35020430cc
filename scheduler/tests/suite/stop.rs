//! Stopping a job.

use skrei_scheduler::Decision;

use crate::{given::*, world::World};

#[test]
fn a_stopped_job_is_stopped_at_once_and_its_nodes_are_told() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(ops());
    world.completes(&job, "b");
    world.sent();
    world.stop(&job);
    assert_eq!(world.state(&job), "Stopped: enough");
    assert_eq!(world.executions(&job), "a:Cancelled b:Completed");
    assert_eq!(world.sent(), "cancel a");
    assert!(
        world
            .history(&job)
            .ends_with("Scheduling/Job stop requested; Scheduling/Cancelled; State Update/Stopped")
    );
}

#[test]
fn what_completes_after_the_stop_is_only_recorded() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.stop(&job);
    world.completes(&job, "a");
    assert_eq!(world.executions(&job), "a:Cancelled");
    assert!(world.history(&job).ends_with("Completed successfully (reported after it was cancelled)"));
    assert_eq!(world.completes(&job, "a"), Decision::default(), "said twice, recorded once");
    assert_eq!(world.scheduler.job_count(), 0);
}

#[test]
fn stopping_again_changes_nothing() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.stop(&job);
    assert_eq!(world.stop(&job), Decision::default());
}

#[test]
fn a_waiting_job_can_be_stopped() {
    let mut world = World::with([small("a", 1000)]);
    world.submit(batch(1).cpu(1000));
    let waiting =
        [batch(1).cpu(1000), ops().only("x", "exists", &[]).queue_timeout(9)].map(|file| world.submit(file));
    for job in &waiting {
        world.stop(job);
        assert_eq!(world.state(job), "Stopped: enough");
    }
    assert_eq!(world.scheduler.next_wakeup(), None, "its timers are gone");
}

#[test]
fn a_stopped_job_that_its_node_never_confirms_is_forgotten_in_the_end() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops());
    world.stop(&job);
    assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("late outcome window"));
    world.pass(3601);
    assert_eq!((world.scheduler.job_count(), world.scheduler.next_wakeup()), (0, None));
}
