//! Nothing is promised twice, and whatever waits gets its turn.

use crate::{given::*, world::World};

#[test]
fn what_does_not_fit_now_waits_and_runs_when_room_appears() {
    let mut world = World::with([small("a", 1000)]);
    let first = world.submit(batch(1).cpu(1000));
    let second = world.submit(batch(1).cpu(1000));
    assert_eq!(world.state(&second), "Queued: waiting for room: a: busy: CPU 1 wanted, 0 available");
    world.completes(&first, "a");
    assert_eq!(world.executions(&second), "a:Assigned");
}

#[test]
fn a_node_that_joins_takes_what_waits() {
    let mut world = World::with([small("a", 1000)]);
    let job = world.submit(batch(2).cpu(1000));
    assert_eq!(world.executions(&job), "a:Assigned");
    world.join(small("b", 1000));
    assert_eq!(world.executions(&job).matches("Assigned").count(), 2);
}

#[test]
fn higher_priority_goes_first_and_then_who_came_first() {
    let mut world = World::with([small("a", 1000)]);
    let running = world.submit(batch(1).cpu(1000));
    let low = world.submit(batch(1).cpu(1000));
    let later = world.submit(batch(1).cpu(1000));
    let high = world.submit(batch(1).cpu(1000).priority(5));
    world.completes(&running, "a");
    for next in [&high, &low, &later] {
        assert_eq!(world.executions(next), "a:Assigned");
        world.completes(next, "a");
    }
}

#[test]
fn a_stream_of_small_jobs_does_not_starve_a_large_one() {
    let mut world = World::with([small("a", 1000), small("b", 1000)]);
    let mut running: Vec<_> = (0..4).map(|_| world.submit(batch(1).cpu(500))).collect();
    let large = world.submit(batch(1).cpu(1000));
    for _ in 0..10 {
        running.push(world.submit(batch(1).cpu(500)));
        let done = running.remove(0);
        if let Some(name) = world.store.current(&done).first().map(|e| e.node.to_string()) {
            world.completes(&done, &name);
        } else {
            running.push(done);
        }
    }
    assert_ne!(world.executions(&large), "", "{}", world.state(&large));
}

#[test]
fn an_ops_job_holds_its_execution_until_a_busy_node_has_room() {
    let mut world = World::with([small("a", 1000), small("b", 1000)]);
    let busy = world.submit(batch(1).cpu(1000));
    let name = world.store.current(&busy)[0].node.to_string();
    world.sent();
    let job = world.submit(ops().cpu(1000));
    assert_eq!(world.executions(&job), "a:Assigned b:Assigned");
    let other = if name == "a" { "b" } else { "a" };
    assert_eq!(world.sent(), format!("run {other}"));
    assert!(world.history(&job).contains(&format!("Queueing/Waiting for room on {name}")));
    world.completes(&busy, &name);
    assert_eq!(world.sent(), format!("run {name}"));
}

#[test]
fn a_cancelled_execution_keeps_its_room_until_its_node_says_it_ended() {
    let mut world = World::with([small("a", 1000)]);
    let first = world.submit(batch(1).cpu(1000));
    let second = world.submit(batch(1).cpu(1000));
    world.stop(&first);
    assert_eq!(world.executions(&second), "");
    world.ends(&first, "a", skrei_job::life::ExecutionState::Cancelled { reason: "told so".into() });
    assert_eq!(world.executions(&second), "a:Assigned");
}

#[test]
fn the_queue_timeout_counts_from_submission_also_for_want_of_room() {
    let mut world = World::with([small("a", 1000)]);
    world.submit(batch(1).cpu(1000));
    let job = world.submit(batch(1).cpu(1000).queue_timeout(30));
    world.pass(31);
    assert_eq!(
        world.state(&job),
        "Failed: not placed within its queue timeout of 30 s; waiting for room: \
         a: busy: CPU 1 wanted, 0 available"
    );
}

#[test]
fn a_node_set_aside_is_open_again_to_whoever_is_ahead_once_the_first_in_line_leaves() {
    let mut world = World::with([small("a", 1000)]);
    world.submit(batch(1).cpu(500));
    let [first, last] = [2, 0].map(|priority| world.submit(batch(1).cpu(1000).priority(priority)));
    let between = world.submit(batch(1).cpu(500).priority(1));
    assert_eq!(world.executions(&between), "", "the room is kept for the large job ahead");
    world.stop(&first);
    assert_eq!(world.executions(&between), "a:Assigned");
    assert_eq!(world.executions(&last), "");
}
