//! What was decided about jobs and perhaps is not stored yet.
//!
//! The scheduler forgets a job that has ended. Whoever then asks the store for it may get it as it was before its end:
//! what is still on its way to the disk is put on top of that here.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use skrei_job::JobId;
use skrei_scheduler::{Grant, Job, JobChange, Progress, Record};

use crate::store::Position;

/// Jobs with records on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Pending {
    jobs: BTreeMap<JobId, Decided>,
    /// By namespace and name, those of which a version is on its way.
    names: BTreeMap<(String, String), JobId>,
    /// What versions may have whose grants are on their way.
    grants: BTreeMap<JobId, Granted>,
    /// What to forget when the disk has come so far.
    order: VecDeque<(Position, JobId)>,
}

/// What a version of a job may have. Once it is stored only the store counts: it locks secrets again.
#[derive(Debug)]
struct Granted {
    position: Position,
    version: u64,
    grants: Arc<[Grant]>,
}

/// What the store does not know of a job.
#[derive(Debug, Default)]
struct Decided {
    /// Of the last record.
    position: Position,
    accepted: Option<Job>,
    change: Option<JobChange>,
    progress: Option<Progress>,
    /// Number of the last history entry; 0 if none is on its way.
    history: u64,
}

impl Pending {
    /// Takes note of a record that will be stored at this position.
    pub(super) fn note(&mut self, position: Position, record: &Record) {
        let id = match record {
            Record::JobAccepted(job) => &job.id,
            Record::JobChanged(change) => &change.job,
            Record::ProgressChanged { job, .. } => job,
            Record::SecretsGranted { job, version, grants } => {
                let granted = Granted { position, version: *version, grants: Arc::clone(grants) };
                self.grants.insert(job.clone(), granted);
                self.order.push_back((position, job.clone()));
                return;
            }
            Record::History(entry) => &entry.job,
            _ => return,
        };
        let decided = self.jobs.entry(id.clone()).or_default();
        decided.position = position;
        self.order.push_back((position, id.clone()));
        match record {
            Record::JobAccepted(job) => {
                self.names.insert(name(job), job.id.clone());
                *decided = Decided { position, accepted: Some(job.clone()), ..Decided::default() };
            }
            Record::JobChanged(change) => decided.change = Some(change.clone()),
            Record::ProgressChanged { progress, .. } => decided.progress = Some(progress.clone()),
            Record::History(entry) => decided.history = entry.number,
            _ => {}
        }
    }

    /// Forgets what is stored: the store knows it.
    pub(super) fn settle(&mut self, stored: Position) {
        while let Some((position, id)) = self.order.pop_front_if(|(position, _)| *position <= stored) {
            if self.grants.get(&id).is_some_and(|granted| granted.position == position) {
                self.grants.remove(&id);
            }
            if self.jobs.get(&id).is_some_and(|decided| decided.position == position)
                && let Some(Decided { accepted: Some(job), .. }) = self.jobs.remove(&id)
            {
                let name = name(&job);
                if self.names.get(&name) == Some(&id) {
                    self.names.remove(&name);
                }
            }
        }
    }

    /// The job of this name as it will be once everything is stored, if a version of it is on its way.
    pub(super) fn named(&self, namespace: &str, name: &str) -> Option<Job> {
        let id = self.names.get(&(namespace.to_owned(), name.to_owned()))?;
        let job = self.jobs.get(id)?.accepted.clone()?;
        Some(self.decided(job))
    }

    /// A job as it will be once everything is stored; `job` is as the store has it.
    pub(super) fn decided(&self, job: Job) -> Job {
        let Some(decided) = self.jobs.get(&job.id) else { return job };
        let mut job = decided.accepted.clone().unwrap_or(job);
        if let Some(change) = &decided.change {
            job.version = change.version;
            job.revision = change.revision;
            job.state = change.state;
            job.message.clone_from(&change.message);
            job.modified = change.modified;
        }
        if let Some(progress) = &decided.progress {
            job.progress = progress.clone();
        }
        job.next_history = job.next_history.max(decided.history + 1);
        job
    }

    /// What a version may have, if that is on its way to the disk.
    pub(super) fn grants(&self, job: &JobId, version: u64) -> Option<Arc<[Grant]>> {
        let granted = self.grants.get(job).filter(|granted| granted.version == version)?;
        Some(Arc::clone(&granted.grants))
    }

    /// Forgets everything: what was decided counts for nothing.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn name(job: &Job) -> (String, String) {
    (job.spec.namespace().to_owned(), job.spec.name().to_owned())
}
