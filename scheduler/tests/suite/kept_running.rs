//! Services and daemons.

use skrei_job::{life::ExecutionState, outcome::Cause};
use skrei_scheduler::Event;

use crate::{given::*, world::World};

fn exited() -> ExecutionState {
    ExecutionState::Failed(failure(Cause::Exited, "exited with code 1"))
}

#[test]
fn a_service_that_exits_is_started_again_after_longer_and_longer_waits() {
    let mut world = World::with([node("a")]);
    let job = world.submit(service(1));
    for wait in [1, 2, 4] {
        world.starts(&job, "a");
        world.ends(&job, "a", exited());
        assert_eq!(world.scheduler.next_wakeup().map(|(_, why)| why), Some("another attempt"));
        world.pass(wait - 1);
        assert!(!world.executions(&job).ends_with("Assigned"), "not before {wait} s");
        world.pass(1);
        assert!(world.executions(&job).ends_with("Assigned"), "after {wait} s");
    }
    assert_eq!(world.state(&job), "Running");
}

#[test]
fn a_service_that_was_well_for_a_while_is_started_again_at_once() {
    let mut world = World::with([node("a")]);
    let job = world.submit(service(1));
    for _ in 0..3 {
        world.ends(&job, "a", exited());
        world.pass(300);
    }
    world.pass(300);
    world.completes(&job, "a");
    world.pass(1);
    assert!(world.executions(&job).ends_with("Assigned"), "a return is an end like any other");
}

#[test]
fn a_service_moves_when_its_node_is_lost_however_often() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(service(1));
    for _ in 0..4 {
        let here =
            world.store.current(&job).iter().find(|e| !e.state.is_terminal()).unwrap().node.to_string();
        world.lose(&here);
        let there = if here == "a" { "b" } else { "a" };
        assert_eq!(world.execution(&job, there).state, ExecutionState::Assigned);
        world.join(node(&here));
    }
}

#[test]
fn a_service_without_any_node_waits_and_says_so() {
    let mut world = World::with([node("a")]);
    let job = world.submit(service(1));
    world.lose("a");
    assert_eq!(world.state(&job), "Running");
    world.join(node("b"));
    assert!(world.executions(&job).contains("b:Assigned"));
}

#[test]
fn what_crashes_for_years_takes_no_more_memory() {
    let mut world = World::with([node("a")]);
    let job = world.submit(service(1));
    for _ in 0..60 {
        world.ends(&job, "a", exited());
        world.pass(300);
    }
    let known =
        world.store.current(&job).iter().filter(|e| world.scheduler.execution(&e.id).is_some()).count();
    assert!(known <= 17, "{known} attempts are remembered");
    let attempts: Vec<_> = world.store.current(&job).iter().map(|e| e.attempt).collect();
    assert_eq!(attempts, (0..61).collect::<Vec<_>>(), "no attempt has the id of another");
}

#[test]
fn a_daemon_runs_on_every_node_also_on_those_that_come_later() {
    let mut world = World::with([node("a")]);
    let job = world.submit(daemon());
    world.join(node("b"));
    assert_eq!(world.executions(&job), "a:Assigned b:Assigned");
    world.completes(&job, "a");
    world.pass(1);
    assert_eq!(world.executions(&job), "a:Completed b:Assigned a:Assigned");
}

#[test]
fn a_daemon_waits_for_a_first_node() {
    let mut world = World::with([]);
    let job = world.submit(daemon());
    assert!(world.state(&job).starts_with("Queued"), "{}", world.state(&job));
    world.join(node("a"));
    assert_eq!((world.state(&job).as_str(), world.executions(&job).as_str()), ("Running", "a:Assigned"));
}

#[test]
fn a_node_that_flaps_gets_its_daemon_every_time() {
    let mut world = World::with([node("a")]);
    let job = world.submit(daemon());
    for lost in 1..5 {
        world.lose("a");
        world.join(node("a"));
        let expected = format!("{}a:Assigned", "a:Lost ".repeat(lost));
        assert_eq!(world.executions(&job), expected);
    }
}

#[test]
fn a_daemon_that_ran_on_while_its_node_was_away_goes_on() {
    let mut world = World::with([node("a")]);
    let job = world.submit(daemon());
    world.starts(&job, "a");
    world.lose("a");
    let held = world.execution(&job, "a").id;
    world.sent();
    world.join_with(node("a"), &[held]);
    assert_eq!((world.executions(&job).as_str(), world.sent().as_str()), ("a:Running", ""));
}

#[test]
fn a_daemon_leaves_a_node_that_matches_no_more_and_comes_back() {
    let mut world = World::with([labelled("a", "zone", "x")]);
    let job = world.submit(daemon().only("zone", "=", &["x"]));
    world.handle(Event::NodeChanged { node: node("a") });
    assert_eq!(world.executions(&job), "a:Cancelled");
    world.handle(Event::NodeChanged { node: labelled("a", "zone", "x") });
    assert_eq!(world.executions(&job), "a:Cancelled a:Assigned");
}

#[test]
fn a_refusal_of_a_path_is_not_asked_again_until_the_job_changes() {
    let mut world = World::with([node("a"), node("b")]);
    let job = world.submit(daemon());
    world.ends(&job, "a", ExecutionState::Refused(refusal("on no entry")));
    world.pass(3600);
    world.leave("a");
    world.join(node("a"));
    assert_eq!(world.executions(&job), "a:Refused b:Assigned");
}

#[test]
fn after_a_restart_daemons_and_services_go_on_and_new_nodes_get_theirs() {
    let mut world = World::with([node("a")]);
    let (daemon, service) = (world.submit(daemon()), world.submit(service(1)));
    world.starts(&daemon, "a");
    world.ends(&service, "a", exited());
    world.restart();
    world.join(node("a"));
    world.join(node("b"));
    world.pass(2);
    assert_eq!(world.executions(&daemon), "a:Running b:Assigned");
    assert!(world.executions(&service).ends_with("Assigned"), "{}", world.executions(&service));
}
