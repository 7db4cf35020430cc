//! The answer to a node that asks for the secrets of an execution.

use skrei_job::{
    JobId, NodeId,
    outcome::{Refusal, Rule},
    secret::{Name, SealedByClient},
};
use skrei_protocol::link::{SealedSecret, Secrets, ToNode, WantSecrets, delivery};
use skrei_scheduler::Grant;
use skrei_vault::{KeyRing, LockError, Locked, Recipient, Secret};

use super::{given, scope, stored};
use crate::{
    orchestrator::Orchestrator,
    store::{Entitlement, NodeStanding, StoredSecret},
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

/// Why there are no secrets to send.
enum NotNow {
    /// There will be none.
    Refused(Refusal),
    /// Nobody has sealed this one for the node.
    Unsealed(Name),
}

impl From<Refusal> for NotNow {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

async fn answer(
    orchestrator: &Orchestrator,
    node: &NodeId,
    wanted: &WantSecrets,
) -> Result<Vec<SealedSecret>, NotNow> {
    let peer =
        orchestrator.hub.peer(node).ok_or_else(|| refusal("the node is not connected".to_owned(), None))?;
    let recipient: Recipient = peer.info.sealing_key.parse().map_err(|_| {
        refusal(format!("node `{node}` has told no sealing key that secrets could be sealed to"), None)
    })?;
    let entitlement = orchestrator.store.entitlement(wanted.job.clone(), wanted.execution.clone()).await;
    let entitlement = entitlement.map_err(|error| {
        tracing::error!(%error, "secrets cannot be read");
        refusal("the orchestrator's store does not answer".to_owned(), None)
    })?;
    let ring = orchestrator.keys.ring();
    let (node, wanted) = (node.clone(), wanted.clone());
    // To seal takes a tenth of a millisecond or so: not on a thread that answers others.
    let sealing = tokio::task::spawn_blocking(move || {
        let (entitlement, standing) = entitled(entitlement, &node)?;
        let seal = |grant: &Grant| {
            if let Some(envelopes) = &grant.sealed {
                return sealed_by_client(grant, envelopes, &node);
            }
            let secret = open(&ring, &entitlement, grant, &node, &standing)?;
            let sealed = recipient.seal(&secret, &delivery(&node, &wanted.execution, &grant.name));
            let sealed = sealed.map_err(|_| {
                refusal(format!("secret `{}` cannot be sealed to the key of node `{node}`", grant.name), None)
            })?;
            Ok(SealedSecret { name: grant.name.clone(), sealed, content: None })
        };
        entitlement.grants.iter().map(seal).collect()
    });
    sealing.await.unwrap_or_else(|_| Err(refusal("the orchestrator made a mistake".to_owned(), None).into()))
}

/// What was sealed for this node, as it is.
fn sealed_by_client(
    grant: &Grant,
    envelopes: &[SealedByClient],
    node: &NodeId,
) -> Result<SealedSecret, NotNow> {
    let name = &grant.name;
    if envelopes.is_empty() {
        return Err(gone(name).into());
    }
    let mut for_node =
        envelopes.iter().filter_map(|envelope| Some((envelope.keys.get(node)?, &envelope.content)));
    let (key, content) = for_node.next().ok_or_else(|| NotNow::Unsealed(name.clone()))?;
    Ok(SealedSecret { name: name.clone(), sealed: key.clone(), content: Some(content.clone()) })
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

fn open(
    ring: &KeyRing,
    entitlement: &Entitlement,
    grant: &Grant,
    node: &NodeId,
    standing: &NodeStanding,
) -> Result<Secret, Refusal> {
    let name = &grant.name;
    let (locked, context) = if grant.given {
        let locked = grant.locked.as_deref().ok_or_else(|| gone(name))?;
        (locked.to_owned(), given(&entitlement.job, name))
    } else {
        let found = entitlement.stored.iter().find(|secret| secret.name == *name);
        let secret = found.ok_or_else(|| removed(name, &entitlement.namespace))?;
        in_scope(secret, entitlement, node, standing)?;
        (secret.locked.clone(), stored(&entitlement.namespace, name))
    };
    let opened = Locked::from_bytes(&locked).and_then(|locked| ring.unlock(&locked, &context));
    opened.map_err(|error| {
        let hint = match error {
            LockError::NoKey(_) => "put the orchestrator's key file back, or set the secret anew",
            _ => "set the secret anew",
        };
        refusal(format!("secret `{name}` cannot be opened: {error}"), Some(hint.to_owned()))
    })
}

fn in_scope(
    secret: &StoredSecret,
    entitlement: &Entitlement,
    node: &NodeId,
    standing: &NodeStanding,
) -> Result<(), Refusal> {
    let (name, scope) = (&secret.name, &secret.scope);
    if !scope.covers_job(&entitlement.job_name) {
        let message = format!(
            "the scope of secret `{name}` ({}) does not cover job `{}`",
            scope.shown(),
            entitlement.job_name
        );
        return Err(refusal(message, Some(widen(name, &format!("--job {}", entitlement.job_name)))));
    }
    scope::covers(scope, standing).map_err(|outside| {
        let message = format!("the scope of secret `{name}` does not cover node `{node}`: {outside}");
        let hint = match outside.label() {
            Some(label) => format!(
                "if it is so, say it yourself: skrei node label {node} {label}; or keep the job off the node with \
                 `Constraints`, or widen the scope"
            ),
            None => "keep the job off the node with `Constraints`, or widen the scope".to_owned(),
        };
        refusal(message, Some(hint))
    })
}

fn gone(name: &Name) -> Refusal {
    let message =
        format!("secret `{name}` was given with this version of the job, and removed when that had ended");
    refusal(message, Some(format!("run the job anew with --secret {name}=@FILE")))
}

fn widen(name: &Name, scope: &str) -> String {
    format!("whoever keeps the secret can widen its scope: skrei secret set {name}=@FILE {scope}")
}

fn removed(name: &Name, namespace: &str) -> Refusal {
    let message =
        format!("secret `{name}` was removed from namespace `{namespace}` since the job was accepted");
    refusal(message, Some(format!("set it again: skrei secret set {name}=@FILE --job JOB")))
}

fn refusal(message: String, hint: Option<String>) -> Refusal {
    Refusal { rule: Rule::Secret, message, hint }
}
