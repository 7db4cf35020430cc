//! What people decide about nodes.

use std::{collections::BTreeMap, time::Duration};

use skrei_job::NodeId;
use skrei_scheduler::{Event, Membership, NodeOrder};

use crate::{given::*, world::World};

fn order(world: &mut World, node: &str, order: NodeOrder) {
    world.handle(Event::NodeOrdered { node: NodeId::new(node), order });
}

fn drain(world: &mut World, node: &str, seconds: u64) {
    let until = world.now.after(Duration::from_secs(seconds));
    order(world, node, NodeOrder::Drain { until });
}

fn label(world: &mut World, node: &str, name: &str, value: Option<&str>) {
    let labels = BTreeMap::from([(name.to_owned(), value.map(str::to_owned))]);
    order(world, node, NodeOrder::Label(labels));
}

#[test]
fn what_was_decided_about_a_node_outlives_its_link_and_a_restart() {
    let mut pending = node("a");
    pending.membership = Membership::Pending;
    let mut world = World::with([pending.clone()]);
    let job = world.submit(daemon());
    assert_eq!(world.executions(&job), "");
    order(&mut world, "a", NodeOrder::Approve);
    assert_eq!(world.executions(&job), "a:Assigned", "approval alone is enough");
    world.restart();
    world.join(pending);
    assert_eq!(world.store.nodes[&NodeId::new("a")].info.membership, Membership::Approved);
    assert_eq!(world.executions(&job), "a:Assigned");
}

#[test]
fn a_rejected_nodes_work_is_stopped_and_given_to_others() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(1));
    world.starts(&job, "a");
    world.join(node("b"));
    world.sent();
    order(&mut world, "a", NodeOrder::Reject);
    assert_eq!(world.sent(), "cancel a, cancel a, run b");
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    let lost = world.execution(&job, "a").id;
    world.leave("a");
    world.join_with(node("a"), &[lost]);
    assert_eq!(world.executions(&job), "a:Lost b:Assigned", "what it still has does not go on");
}

#[test]
fn a_node_that_does_not_do_well_keeps_what_it_has_and_gets_nothing_new_until_it_does() {
    let mut world = World::with([node("a"), node("b")]);
    let says = |world: &mut World, unwell: Option<&str>| {
        let unwell = unwell.map(str::to_owned);
        world.handle(Event::NodeHealth { node: NodeId::new("a"), unwell });
    };
    let runs = world.submit(daemon());
    says(&mut world, Some("its disk is full"));
    assert_eq!(world.executions(&runs), "a:Assigned b:Assigned");
    let once = world.submit(ops());
    assert_eq!(world.executions(&once), "b:Assigned");
    let missed = &world.store.jobs[&once].progress.missed;
    assert_eq!(missed[&NodeId::new("a")], "unwell: its disk is full");
    let waits = world.submit(batch(1).only("name", "=", &["a"]).queue_timeout(60));
    assert!(world.state(&waits).contains("unwell: its disk is full"), "{}", world.state(&waits));
    let kept = world.submit(daemon());
    assert_eq!(world.executions(&kept), "b:Assigned");
    says(&mut world, None);
    assert_eq!(
        (world.executions(&waits), world.executions(&kept)),
        ("a:Assigned".into(), "b:Assigned a:Assigned".into())
    );

    // What it said counts no longer once it has another link: it says it again.
    says(&mut world, Some("its disk is full"));
    world.leave("a");
    world.join(node("a"));
    assert_eq!(world.store.nodes[&NodeId::new("a")].unwell, None);
}

#[test]
fn a_cordoned_node_keeps_what_it_has_and_gets_nothing_new() {
    let mut world = World::with([node("a"), node("b")]);
    let kept = world.submit(daemon());
    order(&mut world, "a", NodeOrder::Cordon);
    assert_eq!(world.executions(&kept), "a:Assigned b:Assigned");
    let ops = world.submit(ops());
    assert_eq!(world.executions(&ops), "b:Assigned");
    let missed = &world.store.jobs[&ops].progress.missed;
    assert_eq!(missed[&NodeId::new("a")], "cordoned");
    world.leave("b");
    let waiting = world.submit(batch(1));
    assert!(world.state(&waiting).contains("cordoned"), "{}", world.state(&waiting));
    world.restart();
    world.join(node("a"));
    assert_eq!(world.executions(&waiting), "");
    order(&mut world, "a", NodeOrder::Uncordon);
    assert_eq!(world.executions(&waiting), "a:Assigned");
}

#[test]
fn a_drained_node_ends_what_ends_by_itself_and_gives_services_away_at_once() {
    let mut world = World::with([node("a")]);
    let batch = world.submit(batch(1));
    let service = world.submit(service(1));
    let daemon = world.submit(daemon());
    for job in [&batch, &service, &daemon] {
        world.starts(job, "a");
    }
    world.join(node("b"));
    drain(&mut world, "a", 600);
    assert_eq!(world.executions(&service), "a:Lost b:Assigned");
    assert_eq!(world.executions(&batch), "a:Running");
    assert_eq!(world.executions(&daemon), "a:Running b:Assigned");
    world.completes(&batch, "a");
    assert_eq!(world.state(&batch), "Completed");
    assert_eq!(world.executions(&daemon), "a:Lost b:Assigned", "nothing else is left there");
    assert_eq!(world.store.jobs[&daemon].state.as_str(), "Running");

    order(&mut world, "a", NodeOrder::Uncordon);
    assert_eq!(world.executions(&daemon), "a:Lost b:Assigned a:Assigned");
}

#[test]
fn what_is_left_at_the_deadline_is_given_to_others_also_after_a_restart() {
    let mut world = World::with([node("a")]);
    let job = world.submit(batch(1));
    world.starts(&job, "a");
    world.join(node("b"));
    drain(&mut world, "a", 600);
    world.restart();
    let held = world.execution(&job, "a").id;
    world.join_with(node("a"), std::slice::from_ref(&held));
    world.join(node("b"));
    world.pass(500);
    assert_eq!(world.executions(&job), "a:Running");
    world.sent();
    world.pass(200);
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    assert_eq!(world.sent(), "cancel a, cancel a, run b");
    // The link broke before the node heard of it.
    world.leave("a");
    world.join_with(node("a"), &[held]);
    assert_eq!(world.executions(&job), "a:Lost b:Assigned");
    assert_eq!(world.sent(), "cancel a");
}

#[test]
fn a_label_set_here_counts_whatever_the_node_says_until_it_is_taken_back() {
    let mut world = World::with([labelled("a", "zone", "x")]);
    label(&mut world, "a", "zone", Some("y"));
    label(&mut world, "a", "rack", Some("7"));
    let labels = |world: &World| {
        let labels = &world.store.nodes[&NodeId::new("a")].info.labels;
        format!("{:?} {:?}", labels.get("zone"), labels.get("rack"))
    };
    assert_eq!(labels(&world), r#"Some("y") Some("7")"#);
    let job = world.submit(ops().only("zone", "=", &["y"]));
    assert_eq!(world.executions(&job), "a:Assigned");
    world.leave("a");
    world.join(labelled("a", "zone", "z"));
    assert_eq!(labels(&world), r#"Some("y") Some("7")"#);
    label(&mut world, "a", "zone", None);
    label(&mut world, "a", "rack", None);
    assert_eq!(labels(&world), r#"Some("z") None"#, "what the node says by now");
}
