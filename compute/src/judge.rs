//! What this node would make of a job, before it gets it: the rules that decide about an assignment, and nothing else.

use std::sync::Arc;

use skrei_job::{
    Spec,
    outcome::{Refusal, Rule},
};
use skrei_protocol::link::Granted;

use crate::{
    admission::{self, Facts},
    ending::Unready,
    node::Node,
    prepare,
};

/// The host paths that a guest of this job would have here, or what keeps the job off this node. Nothing is made; what
/// is fetched, compiled or asked for when a job runs is not looked at.
pub(crate) async fn judge(node: &Arc<Node>, spec: &Spec) -> Result<Vec<Granted>, Refusal> {
    let task = spec.task();
    let facts = Facts {
        node: &node.id,
        capacity: node.capacity,
        draining: false,
        reject_stateless: node.reject_stateless,
    };
    admission::decide(task, &facts)?;
    node.host_variables.fill(&node.id, &task.env, |name| std::env::var(name).ok())?;
    let granted = prepare::granted(node, task).await.map_err(|unready| match unready {
        Unready::Refused(refusal) => refusal,
        Unready::Failed { message, hint } => Refusal { rule: Rule::Unsupported, message, hint },
    })?;
    node.probes.ask(&node.id, spec).await?;
    Ok(granted)
}

/// What whoever asks hears when too many do.
pub(crate) fn too_many() -> Refusal {
    Refusal {
        rule: Rule::Capacity,
        message: "the node is asked too much at once".to_owned(),
        hint: Some("ask again".to_owned()),
    }
}
