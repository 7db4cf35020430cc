//! What a node refuses by looking at the task alone.

use serde_json::json;
use skrei_compute::admission::{self, Facts};
use skrei_job::{NodeId, Spec, outcome::Rule, resources::Resources};

use crate::support::{artifact_input, job_with};

fn spec(more: serde_json::Value) -> Spec {
    job_with(&[artifact_input(skrei_job::Digest::of(b""), 1, "/main.wasm")], &[], more)
}

fn decide(more: serde_json::Value, draining: bool) -> Option<(Rule, String)> {
    let capacity = Resources { cpu_millis: 1000, memory_bytes: 1 << 30, disk_bytes: 0, gpus: 0 };
    let node = NodeId::new("web-1");
    let facts = Facts { node: &node, capacity, draining, reject_stateless: false };
    let refusal = admission::decide(spec(more).task(), &facts).err()?;
    assert!(refusal.message.contains("`web-1`") && refusal.hint.is_some());
    Some((refusal.rule, refusal.message))
}

#[test]
fn a_task_is_refused_by_the_rule_it_breaks() {
    assert_eq!(decide(json!({}), false), None);
    assert_eq!(decide(json!({"Publisher": {"Type": "local"}}), false), None);
    for (more, rule, part) in [
        (
            json!({"Resources": {"Memory": "8GB", "CPU": "4"}}),
            Rule::Capacity,
            "CPU 4 wanted, 1 available, Memory 8 GB",
        ),
        (json!({"Resources": {"GPU": "1"}}), Rule::Capacity, "GPU 1 wanted"),
        (json!({"Resources": {"Disk": "1GB"}}), Rule::Capacity, "Disk 1 GB wanted"),
    ] {
        let (refused_by, message) =
            decide(more.clone(), false).unwrap_or_else(|| panic!("{more} is admitted"));
        assert_eq!(refused_by, rule, "{more}");
        assert!(message.contains(part), "{part} in: {message}");
    }
    assert_eq!(decide(json!({}), true).unwrap().0, Rule::Draining);
}

#[test]
fn a_task_that_asks_for_nothing_still_counts() {
    let counted = admission::counted(&Resources { cpu_millis: 250, ..Resources::default() });
    assert_eq!((counted.cpu_millis, counted.memory_bytes), (250, 100 << 20));
}
