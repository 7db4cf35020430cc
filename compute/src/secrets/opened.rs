//! Secrets in memory, on their way to one guest.

use std::{collections::BTreeMap, sync::Arc};

use skrei_job::{
    outcome::Refusal,
    secret::{Name, Place, Use},
};
use skrei_protocol::link::{Assignment, SealedSecret, by_client, delivery};
use skrei_runtime::{Mount, MountError, Sandbox};
use skrei_vault::{Searched, Secret};

use super::{Secrets, redacting::Redacting, refusal};

/// The secrets of one execution, open. They are wiped when this and the sandbox are gone.
pub(crate) struct Opened(Vec<(Use, Secret)>);

impl Secrets {
    /// Opens what was sealed to this node for this execution, or by whoever submitted it for this job, for everything the
    /// task wants a secret for.
    pub(crate) fn unseal(&self, assignment: &Assignment, sealed: &[SealedSecret]) -> Result<Opened, Refusal> {
        let job = sealed.iter().any(|sealed| sealed.content.is_some()).then(|| canonical(assignment));
        let job = job.transpose()?.unwrap_or_default();
        let open = |of_task: &Use| {
            let Use { name, place } = of_task;
            let sealed = sealed.iter().find(|sealed| sealed.name == *name);
            let sealed = sealed
                .ok_or_else(|| refusal(format!("the orchestrator did not send secret `{name}`"), None))?;
            let opened = match &sealed.content {
                None => {
                    let context = delivery(&self.node, &assignment.execution, name);
                    self.opener.open(&self.key, &sealed.sealed, &context)
                }
                Some(content) => {
                    let context = by_client(&job, name);
                    let of_key = context.clone().with(self.node.as_str());
                    self.key.open_envelope((&sealed.sealed, &of_key), (content, &context))
                }
            };
            let secret = opened.map_err(|error| refusal(format!("secret `{name}`: {error}"), None))?;
            if let Place::Env { name: variable } = place {
                check_text(name, variable, &secret)?;
            }
            Ok((of_task.clone(), secret))
        };
        assignment.spec.task().secrets.iter().map(open).collect::<Result<_, _>>().map(Opened)
    }
}

/// The job as this node was told it: whatever the orchestrator changed, what was sealed for it does not open.
fn canonical(assignment: &Assignment) -> Result<Vec<u8>, Refusal> {
    let written = assignment.spec.manifest().canonical();
    written.map_err(|error| refusal(format!("the job cannot be written down: {error}"), None))
}

impl Opened {
    /// Secrets that are open already.
    pub(crate) fn new(secrets: Vec<(Use, Secret)>) -> Self {
        Self(secrets)
    }

    /// Puts each secret in its place, and has them taken out of what the guest writes. Gives what to take out of
    /// whatever else it tells.
    pub(crate) fn give(self, mut sandbox: Sandbox) -> Result<(Sandbox, Arc<Searched>), MountError> {
        for (Use { place, .. }, secret) in &self.0 {
            sandbox = match place {
                Place::File { target, .. } => {
                    sandbox.mount(Mount::memory(secret.expose().clone(), target))?
                }
                // Checked to be text when it was opened.
                Place::Env { name } => sandbox.env(name, str::from_utf8(secret.expose()).unwrap_or_default()),
            };
        }
        // One that is in two places is searched for once.
        let by_name: BTreeMap<Name, Secret> =
            self.0.into_iter().map(|(of_task, secret)| (of_task.name, secret)).collect();
        let secrets = by_name.into_iter().map(|(name, secret)| (String::from(name), secret));
        let searched = Searched::new(secrets.collect());
        let sandbox = sandbox.filter(|_| Box::new(Redacting::new(&searched)));
        Ok((sandbox, searched))
    }
}

fn check_text(name: &Name, variable: &str, secret: &Secret) -> Result<(), Refusal> {
    let is_text = str::from_utf8(secret.expose()).is_ok_and(|text| !text.contains('\0'));
    if is_text {
        return Ok(());
    }
    Err(refusal(
        format!("secret `{name}` is no text, and cannot be the value of the variable `{variable}`"),
        Some("give it to the guest as a file: `Target: /secrets/NAME`"),
    ))
}
