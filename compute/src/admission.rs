//! Admission: what a node says to an assignment before it looks at anything but the assignment.

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
    resources::Resources,
    spec::Task,
};

/// What an execution counts for at least, so that many small ones are still bounded: a tenth of a core and
/// 100 MiB, as in Bacalhau.
const LEAST: Resources = Resources { cpu_millis: 100, memory_bytes: 100 << 20, disk_bytes: 0, gpus: 0 };

/// What a node knows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Its id, for messages.
    pub node: &'a NodeId,
    /// What it shares out in all.
    pub capacity: Resources,
    /// Whether it is shutting down.
    pub draining: bool,
    /// Whether it refuses jobs that come with no input but their module.
    pub reject_stateless: bool,
}

/// What a task counts for on a node: what it asks, or the least an execution takes.
pub fn counted(wanted: &Resources) -> Resources {
    let or = |wanted: u64, least: u64| if wanted == 0 { least } else { wanted };
    Resources {
        cpu_millis: or(wanted.cpu_millis, LEAST.cpu_millis),
        memory_bytes: or(wanted.memory_bytes, LEAST.memory_bytes),
        ..*wanted
    }
}

/// Decides whether this node could ever run the task. Host paths, variables and the network are asked about
/// elsewhere.
///
/// # Errors
/// The refusal, with the rule.
pub fn decide(task: &Task, facts: &Facts<'_>) -> Result<(), Refusal> {
    let node = facts.node;
    let refuse =
        |rule, message: String, hint: &str| Err(Refusal { rule, message, hint: Some(hint.to_owned()) });
    if facts.draining {
        return Err(draining(node));
    }
    // The module is an input of its own in the job file, and apart in the task.
    if facts.reject_stateless && task.inputs.is_empty() {
        let message = format!("node `{node}` takes no job that works on nothing");
        return refuse(
            Rule::Stateless,
            message,
            "give the task an input source; the node's owner decides this by JobAdmissionControl.RejectStatelessJobs",
        );
    }
    let shortages = facts.capacity.shortages(&counted(&task.resources));
    if !shortages.is_empty() {
        let shortages: Vec<_> = shortages.iter().map(ToString::to_string).collect();
        let message = format!("node `{node}` is too small: {}", shortages.join(", "));
        return refuse(Rule::Capacity, message, "lower the task's `Resources`, or use a larger node");
    }
    Ok(())
}

/// What a node says that is shutting down.
pub(crate) fn draining(node: &NodeId) -> Refusal {
    Refusal {
        rule: Rule::Draining,
        message: format!("node `{node}` is shutting down and takes no more work"),
        hint: Some("another node, or this one later, can take it".to_owned()),
    }
}
