//! What a node gets of the secrets of an execution: each sealed to its key, or the rule in its way.

use std::sync::Arc;

use skrei_job::{
    ExecutionId, NodeId,
    outcome::{Refusal, Rule},
    secret::{Name, SealedByClient},
};
use skrei_protocol::link::{SealedSecret, delivery};
use skrei_scheduler::Grant;
use skrei_vault::{KeyRing, LockError, Locked, SealError, Sealer, Secret};

use super::{given, scope, stored};
use crate::{
    nodes::Hub,
    store::{Entitlement, NodeStanding, StoredSecret},
};

/// Why there are no secrets to send.
#[derive(Debug)]
pub(super) enum NotNow {
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

/// What seals to the key of a node that is connected.
pub(super) fn sealer(hub: &Hub, node: &NodeId) -> Result<Arc<Sealer>, Refusal> {
    let sealer = hub.sealer(node).ok_or_else(|| refusal("the node is not connected".to_owned(), None))?;
    sealer.map_err(|error| match error {
        SealError::NotARecipient => {
            refusal(format!("node `{node}` has told no sealing key that secrets could be sealed to"), None)
        }
        _ => refusal(format!("nothing can be sealed to the key of node `{node}`"), None),
    })
}

/// Everything that the execution may have, sealed to the node that it is of.
pub(super) fn sealed(
    entitlement: &Entitlement,
    standing: &NodeStanding,
    execution: &ExecutionId,
    (ring, sealer): (&KeyRing, &Sealer),
) -> Result<Vec<SealedSecret>, NotNow> {
    let node = &entitlement.node;
    let seal = |grant: &Grant| {
        if let Some(envelopes) = &grant.sealed {
            return sealed_by_client(grant, envelopes, node);
        }
        let secret = open(ring, entitlement, grant, standing)?;
        let sealed = sealer.seal(&secret, &delivery(node, execution, &grant.name));
        let sealed = sealed.map_err(|_| {
            refusal(format!("secret `{}` cannot be sealed to the key of node `{node}`", grant.name), None)
        })?;
        Ok(SealedSecret { name: grant.name.clone(), sealed, content: None })
    };
    entitlement.grants.iter().map(seal).collect()
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

fn open(
    ring: &KeyRing,
    entitlement: &Entitlement,
    grant: &Grant,
    standing: &NodeStanding,
) -> Result<Secret, Refusal> {
    let name = &grant.name;
    let (locked, context) = if grant.given {
        let locked = grant.locked.as_deref().ok_or_else(|| gone(name))?;
        (locked, given(&entitlement.job, name))
    } else {
        let found = entitlement.stored.iter().find(|secret| secret.name == *name);
        let secret = found.ok_or_else(|| removed(name, &entitlement.namespace))?;
        in_scope(secret, entitlement, standing)?;
        (secret.locked.as_slice(), stored(&entitlement.namespace, name))
    };
    let opened = Locked::from_bytes(locked).and_then(|locked| ring.unlock(&locked, &context));
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
    standing: &NodeStanding,
) -> Result<(), Refusal> {
    let (name, scope, node) = (&secret.name, &secret.scope, &entitlement.node);
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

pub(super) fn refusal(message: String, hint: Option<String>) -> Refusal {
    Refusal { rule: Rule::Secret, message, hint }
}
