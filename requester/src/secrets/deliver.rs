//! The answer to a node that asks for the secrets of an execution.

use std::sync::Arc;

use skrei_job::{JobId, NodeId, outcome::Refusal};
use skrei_protocol::link::{SealedSecret, Secrets, ToNode, WantSecrets};

use super::sealed::{NotNow, recipient, refusal, sealed};
use crate::{
    orchestrator::Orchestrator,
    store::{Entitlement, NodeStanding},
};

/// Answers a node. Whatever goes wrong is a refusal of the execution, with the rule; what nobody has sealed for this node yet
/// is waited for.
pub(crate) async fn deliver(orchestrator: &Orchestrator, node: &NodeId, wanted: WantSecrets) {
    // Before it is known whether something is missing: what is sealed meanwhile is not missed.
    orchestrator.waiting.wait(node, &wanted);
    let result = match answer(orchestrator, node, &wanted).await {
        Ok(secrets) => Ok(secrets),
        Err(NotNow::Unsealed(name)) => {
            tracing::info!(%node, execution = %wanted.execution, secret = %name, "a node waits for a secret to be sealed to it");
            return;
        }
        Err(NotNow::Refused(refusal)) => {
            let reason = &refusal.message;
            tracing::warn!(%node, execution = %wanted.execution, %reason, "a node gets no secrets");
            Err(refusal)
        }
    };
    orchestrator.waiting.ended(node, &wanted.execution);
    orchestrator.hub.send(node, ToNode::Secrets(Secrets { execution: wanted.execution, result }));
}

/// Answers those that waited for secrets of a job: some were sealed.
pub(crate) async fn deliver_sealed(orchestrator: &Orchestrator, job: &JobId) {
    for (node, wanted) in orchestrator.waiting.take(job) {
        deliver(orchestrator, &node, wanted).await;
    }
}

async fn answer(
    orchestrator: &Orchestrator,
    node: &NodeId,
    wanted: &WantSecrets,
) -> Result<Vec<SealedSecret>, NotNow> {
    let recipient = recipient(&orchestrator.hub, node)?;
    let (store, keys) = (orchestrator.store.clone(), Arc::clone(&orchestrator.keys));
    let (node, wanted) = (node.clone(), wanted.clone());
    // To read and to seal takes a tenth of a millisecond or so: not on a thread that answers others.
    let sealing = tokio::task::spawn_blocking(move || {
        keys.in_force(|ring| {
            let entitlement = store.entitlement(&wanted.job, &wanted.execution).map_err(|error| {
                tracing::error!(%error, "secrets cannot be read");
                refusal("the orchestrator's store does not answer".to_owned(), None)
            })?;
            let (entitlement, standing) = entitled(entitlement, &node)?;
            sealed(&entitlement, &standing, &wanted.execution, (ring, &recipient))
        })
    });
    sealing.await.unwrap_or_else(|_| Err(refusal("the orchestrator made a mistake".to_owned(), None).into()))
}

/// A node gets what belongs to the executions it was given, as long as they go on and it may take part.
fn entitled(found: Option<Entitlement>, node: &NodeId) -> Result<(Entitlement, NodeStanding), Refusal> {
    let found = found.filter(|found| found.node == *node && !found.has_ended);
    let standing = found.as_ref().and_then(|found| found.standing.clone());
    match found.zip(standing.filter(|standing| standing.is_approved)) {
        Some(entitled) => Ok(entitled),
        // Whoever asks for what is not his does not hear whether it exists.
        _ => Err(refusal(
            format!(
                "node `{node}` has no such execution, or it has ended: secrets are given for executions that go on"
            ),
            None,
        )),
    }
}
