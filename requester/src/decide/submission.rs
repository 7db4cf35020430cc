//! Submissions: new jobs, new versions of the one of that name, and the same submission again.

use std::sync::Arc;

use skrei_job::{JobId, Spec, Timestamp};
use skrei_scheduler::{Event, Job, Record};

use super::{Accepted, EventLoop, Refused, Step};
use crate::{clock, store::Position};

impl EventLoop {
    /// A submission that was answered before gets the same answer, and changes nothing.
    pub(super) fn submit_once(
        &mut self,
        token: String,
        spec: Spec,
        force: bool,
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
        let accepted = self.submit(spec, force, now, step)?;
        let (job, version) = (accepted.job.clone(), accepted.version);
        step.records.push(Record::Submitted { token: token.clone(), job, version, at: now });
        self.tokens.insert(token, (Position::MAX, accepted.clone()));
        Ok(accepted)
    }

    pub(super) fn submit(
        &mut self,
        spec: Spec,
        force: bool,
        now: Timestamp,
        step: &mut Step,
    ) -> Result<Accepted, Refused> {
        if spec.name().is_empty() {
            let job = new_id()?;
            let spec = spec.named(job.as_str());
            return Ok(self.accept(
                Event::JobSubmitted { job: job.clone(), spec: Arc::new(spec) },
                job,
                now,
                step,
            ));
        }
        match self.job_named(&spec)? {
            None => {
                let job = new_id()?;
                let name = (spec.namespace().to_owned(), spec.name().to_owned());
                let spec = Arc::new(spec);
                let accepted =
                    self.accept(Event::JobSubmitted { job: job.clone(), spec }, job.clone(), now, step);
                self.remember(name, &job, step);
                Ok(accepted)
            }
            Some(stored) if !force && *stored.spec == spec => Err(Refused::Unchanged(spec.name().to_owned())),
            Some(stored) => {
                let job = stored.id.clone();
                let name = (spec.namespace().to_owned(), spec.name().to_owned());
                let event = Event::JobUpdated { stored: Box::new(stored), spec: Arc::new(spec) };
                let accepted = self.accept(event, job.clone(), now, step);
                self.remember(name, &job, step);
                Ok(accepted)
            }
        }
    }

    /// The job of this name as it will be once everything decided so far is stored.
    fn job_named(&mut self, spec: &Spec) -> Result<Option<Job>, Refused> {
        let stored = *self.stored.borrow();
        self.unstored.retain(|_, (position, _)| *position > stored);
        let name = (spec.namespace().to_owned(), spec.name().to_owned());
        if let Some((_, job)) = self.unstored.get(&name) {
            let live = self.scheduler.job(&job.id);
            return Ok(Some(live.unwrap_or(job).clone()));
        }
        let Some(found) = self.store.job_by_name(spec.namespace(), spec.name())? else { return Ok(None) };
        match self.scheduler.job(&found.id) {
            Some(live) => Ok(Some(live.clone())),
            None => Ok(found.into_job()),
        }
    }

    pub(super) fn remember(&mut self, name: (String, String), job: &JobId, step: &Step) {
        let accepted = step.records.iter().rev().find_map(|record| match record {
            Record::JobAccepted(accepted) if accepted.id == *job => Some(accepted.clone()),
            _ => None,
        });
        if let Some(accepted) = accepted {
            self.unstored.insert(name, (Position::MAX, accepted));
        }
    }
}

fn new_id() -> Result<JobId, Refused> {
    clock::random().map(JobId::from_random).map_err(|_| Refused::NoRandomness)
}
