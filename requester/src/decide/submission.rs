//! Submissions: new jobs, new versions of the one of that name, and the same submission again.

use std::sync::Arc;

use skrei_job::{JobId, Spec, Timestamp};
use skrei_scheduler::{Event, Job, Record, Rerun};

use super::{Accepted, EventLoop, Refused, Step};
use crate::{
    clock,
    secrets::Given,
    store::{Position, StoredJob},
};

impl EventLoop {
    /// A submission that was answered before gets the same answer, and changes nothing.
    pub(super) fn submit_once(
        &mut self,
        token: String,
        spec: Spec,
        force: bool,
        secrets: Given,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Accepted, Refused> {
        let stored = *self.stored.borrow();
        self.tokens.retain(|_, (position, _)| *position > stored);
        if let Some((_, accepted)) = self.tokens.get(&token) {
            return Ok(accepted.clone());
        }
        if let Some((job, version)) = self.store.submission(&token)? {
            return Ok(Accepted { job, version });
        }
        let accepted = self.submit(spec, force, secrets, now, step)?;
        let (job, version) = (accepted.job.clone(), accepted.version);
        step.records.push(Record::Submitted { token: token.clone(), job, version, at: now });
        self.tokens.insert(token, (Position::MAX, accepted.clone()));
        Ok(accepted)
    }

    pub(super) fn submit(
        &mut self,
        spec: Spec,
        force: bool,
        secrets: Given,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Accepted, Refused> {
        if spec.name().is_empty() {
            let job = new_id()?;
            let spec = spec.named(job.as_str());
            let grants = self.grants(&job, &spec, secrets, now)?;
            let event = Event::JobSubmitted { job: job.clone(), spec: Arc::new(spec) };
            return Ok(self.accept_granting(event, job, grants, now, step));
        }
        match self.job_named(&spec)? {
            None => {
                let job = new_id()?;
                let grants = self.grants(&job, &spec, secrets, now)?;
                let event = Event::JobSubmitted { job: job.clone(), spec: Arc::new(spec) };
                Ok(self.accept_granting(event, job, grants, now, step))
            }
            Some(stored) if !force && *stored.spec == spec && self.has_these(&stored, &secrets)? => {
                Err(Refused::Unchanged(spec.name().to_owned()))
            }
            Some(stored) => {
                let job = stored.id.clone();
                let grants = self.grants(&job, &spec, secrets, now)?;
                let event = Event::JobUpdated { stored: Box::new(stored), spec: Arc::new(spec), rerun: None };
                Ok(self.accept_granting(event, job, grants, now, step))
            }
        }
    }

    /// Makes a new version of a job of one of its specs.
    pub(super) fn rerun(
        &mut self,
        job: &JobId,
        spec: Spec,
        rerun: Rerun,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Accepted, Refused> {
        // Read again, whatever the caller has read: only here is it known what has been decided since.
        let stored = match self.scheduler.job(job) {
            Some(live) => live.clone(),
            None => {
                let found = self.store.job_by_id(job)?.ok_or_else(|| Refused::NoSuchJob(job.clone()))?;
                self.decided(found).ok_or_else(|| Refused::Outdated {
                    job: job.clone(),
                    problems: "see `skrei job validate`".to_owned(),
                })?
            }
        };
        let grants = self.grants_again(&stored, &spec, now)?;
        let event = Event::JobUpdated { stored: Box::new(stored), spec: Arc::new(spec), rerun: Some(rerun) };
        Ok(self.accept_granting(event, job.clone(), grants, now, step))
    }

    /// The job of this name as it will be once everything decided so far is stored.
    fn job_named(&self, spec: &Spec) -> Result<Option<Job>, Refused> {
        if let Some(job) = self.pending.named(spec.namespace(), spec.name()) {
            return Ok(Some(self.scheduler.job(&job.id).cloned().unwrap_or(job)));
        }
        let found = self.store.job_by_name(spec.namespace(), spec.name())?;
        Ok(found.and_then(|found| self.decided(found)))
    }

    /// A job as it will be once everything decided so far is stored. None if what is stored is no valid job any more.
    fn decided(&self, found: StoredJob) -> Option<Job> {
        match self.scheduler.job(&found.id) {
            Some(live) => Some(live.clone()),
            None => found.into_job().map(|job| self.pending.decided(job)),
        }
    }
}

fn new_id() -> Result<JobId, Refused> {
    clock::random().map(JobId::from_random).map_err(|_| Refused::NoRandomness)
}
