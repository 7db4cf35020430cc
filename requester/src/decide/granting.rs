//! Secrets of what is accepted.

use std::sync::Arc;

use skrei_job::{JobId, Spec, Timestamp, life::Execution};
use skrei_scheduler::{Event, Grant, Job, Record};

use super::{Accepted, EventLoop, Refused, Step};
use crate::{
    secrets::{Given, GivenSecret, Granting, Placed, Refusal},
    store::NodeStanding,
};

impl EventLoop {
    /// What a submission may have; nothing is decided yet if it may not.
    pub(super) fn grants(
        &self,
        job: &JobId,
        spec: &Spec,
        secrets: Given,
        now: Timestamp,
    ) -> Result<Vec<Grant>, Refused> {
        let ring = self.keys.ring();
        let granting = Granting { store: &self.store, ring: &ring, spec, name: spec.name(), now };
        Ok(granting.submitted(job, secrets)?)
    }

    /// What a job may have that is run again as it was.
    pub(super) fn grants_again(
        &self,
        stored: &Job,
        spec: &Spec,
        now: Timestamp,
    ) -> Result<Vec<Grant>, Refused> {
        if spec.task().secrets.is_empty() {
            return Ok(Vec::new());
        }
        self.keys.in_force(|ring| {
            let mut before = self.decided_grants(stored)?;
            if stored.state.is_terminal() {
                // Removed with the end of the version, whether or not that is on the disk by now.
                before = before.iter().map(without_values).collect();
            }
            let granting = Granting { store: &self.store, ring, spec, name: spec.name(), now };
            Ok(granting.again(&stored.id, &before)?)
        })
    }

    /// What the latest version of a job may have, as it will be once everything decided so far is stored.
    fn decided_grants(&self, stored: &Job) -> Result<Arc<[Grant]>, Refused> {
        match self.pending.grants(&stored.id, stored.version) {
            Some(grants) => Ok(grants),
            None => Ok(self.store.grants_of(&stored.id, stored.version)?.into()),
        }
    }

    /// Accepts a version, and stores what it may have together with it.
    pub(super) fn accept_granting(
        &mut self,
        event: Event,
        job: JobId,
        grants: Vec<Grant>,
        now: Timestamp,
        step: &mut Step,
    ) -> Accepted {
        let version = match &event {
            Event::JobUpdated { stored, .. } => stored.version + 1,
            _ => 1,
        };
        // Before what is decided: a version that ends at once takes with it what it was given. And what was given with
        // the one before goes in any case.
        if !grants.is_empty() || version > 1 {
            let granted = Record::SecretsGranted { job: job.clone(), version, grants: grants.into() };
            self.record(granted, step);
        }
        self.accept(event, job, now, step)
    }

    /// What decides about the secrets of an execution that is placed now; none if it has none.
    pub(super) fn placed(&self, job: &Job, execution: &Execution) -> Option<Placed> {
        if job.spec.task().secrets.is_empty() {
            return None;
        }
        let node = self.scheduler.node(&execution.node)?.clone();
        Some(Placed {
            execution: execution.id.clone(),
            node: execution.node.clone(),
            standing: NodeStanding::from(node),
            job: job.id.clone(),
            version: execution.version,
            namespace: job.spec.namespace().to_owned(),
            job_name: job.spec.name().to_owned(),
            grants: self.pending.grants(&job.id, execution.version),
        })
    }

    /// Whether the stored version was given the same secrets. One that has none to compare with was not.
    pub(super) fn has_these(&self, stored: &Job, secrets: &Given) -> Result<bool, Refused> {
        if secrets.is_empty() {
            return Ok(true);
        }
        let ring = self.keys.ring();
        let grants = self.decided_grants(stored)?;
        Ok(secrets.iter().all(|(name, secret)| {
            // What is sealed tells nobody what it is.
            let GivenSecret::Value(secret) = secret else { return false };
            let fingerprint = ring.fingerprint(secret).to_string();
            grants.iter().any(|grant| grant.given && grant.name == *name && grant.fingerprint == fingerprint)
        }))
    }
}

/// What is left of a grant when its version has ended.
fn without_values(grant: &Grant) -> Grant {
    let Grant { name, given, fingerprint, at, sealed, locked: _ } = grant;
    let (name, fingerprint) = (name.clone(), fingerprint.clone());
    Grant {
        name,
        given: *given,
        locked: None,
        sealed: sealed.as_ref().map(|_| Vec::new()),
        fingerprint,
        at: *at,
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotGranted(not_granted) => Self::NotGranted(not_granted),
            Refusal::Store(error) => Self::Store(error),
        }
    }
}
