//! Who may run what, and why others may not.

use skrei_job::NodeId;
use skrei_scheduler::{Event, Membership, Verdict};

use crate::{given::*, world::World};

#[test]
fn a_job_nobody_may_run_says_why_per_node_and_rule() {
    let mut world =
        World::with([labelled("a", "zone", "b"), labelled("b", "zone", "b"), labelled("c", "zone", "a")]);
    world.leave("c");
    let job = world.submit(ops().only("zone", "=", &["a"]));
    assert_eq!(
        world.state(&job),
        "Failed: no node can run this job: 2 nodes: label `zone` = `b`, wanted `zone = a`; c: not connected"
    );
    let entry = &world.store.history[&job][1];
    assert_eq!((entry.topic.as_str(), entry.details["IsError"].as_str()), ("Scheduling", "true"));
}

#[test]
fn every_rule_that_keeps_a_node_out_is_named_with_its_value() {
    let mut bare = small("bare", 100);
    bare.engines.clear();
    bare.membership = Membership::Pending;
    let world = World::with([bare, node("good")]);
    let plan = world.scheduler.plan(&ops().only("zone", "exists", &[]).spec());
    let Verdict::Unfit(reasons) = &plan[0].1 else { panic!("{plan:?}") };
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "not approved (pending)",
            "engine `wasm` missing",
            "no label `zone`, wanted `zone`",
            "too small: CPU 0.5 wanted, 0.1 available"
        ]
    );
    assert_eq!(world.scheduler.plan(&ops().spec())[1], (NodeId::new("good"), Verdict::Fits));
}

#[test]
fn only_matching_nodes_run_it() {
    let mut world = World::with([labelled("a", "zone", "x"), labelled("b", "zone", "y"), node("c")]);
    let job = world.submit(ops().only("zone", "in", &["x", "y"]));
    assert_eq!(world.executions(&job), "a:Assigned b:Assigned");
}

#[test]
fn a_batch_job_no_node_could_ever_run_fails_at_once() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(2).cpu(8000));
    assert_eq!(
        world.state(&job),
        "Failed: no node can run this job: a: too small: CPU 8 wanted, 4 available"
    );
    assert_eq!(world.executions(&job), "");
}

#[test]
fn a_wish_excludes_nobody() {
    let mut world = World::with([node("a")]);
    let job = world.submit(ops().only("favour_zone", "=", &["x"]));
    assert_eq!(world.executions(&job), "a:Assigned");
}

#[test]
fn a_label_that_changes_lets_the_waiting_in() {
    let mut world = World::with([node("a")]);
    let waiting =
        [batch(1), ops()].map(|file| world.submit(file.only("zone", "=", &["x"]).queue_timeout(60)));
    world.handle(Event::NodeChanged { node: labelled("a", "zone", "x") });
    for job in waiting {
        assert_eq!(world.executions(&job), "a:Assigned");
    }
}

#[test]
fn a_waiting_job_fails_when_the_last_node_that_could_run_it_changes() {
    let mut world = World::with([labelled("a", "zone", "x")]);
    let file = || batch(1).cpu(4000).only("zone", "=", &["x"]);
    let (running, waiting) = (world.submit(file()), world.submit(file()));
    world.handle(Event::NodeChanged { node: node("a") });
    assert_eq!(world.state(&running), "Running");
    assert!(world.state(&waiting).starts_with("Failed: no node can run this job: a: no label `zone`"));
}
