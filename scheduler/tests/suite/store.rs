//! A store in memory: it keeps what the records say, and refuses records that cannot be true.

use std::collections::{BTreeMap, BTreeSet};

use skrei_job::{ExecutionId, JobId, NodeId, life::*, resources::Resources};
use skrei_scheduler::{Job, Node, Record, Snapshot, history::Entry};

#[derive(Clone, Default)]
pub(crate) struct Store {
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) executions: BTreeMap<ExecutionId, Execution>,
    pub(crate) history: BTreeMap<JobId, Vec<Entry>>,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    /// What each execution asked of its node.
    pub(crate) asked: BTreeMap<ExecutionId, Resources>,
}

impl Store {
    pub(crate) fn apply(&mut self, record: &Record) {
        match record {
            Record::JobAccepted(job) => {
                if let Some(old) = self.jobs.get(&job.id) {
                    assert_eq!(
                        (job.version, job.revision),
                        (old.version + 1, old.revision + 1),
                        "versions have no gaps"
                    );
                    assert_eq!(job.created, old.created);
                }
                self.jobs.insert(job.id.clone(), job.clone());
            }
            Record::JobChanged(change) => {
                let job = self.jobs.get_mut(&change.job).expect("a changed job was accepted");
                assert!(!job.state.is_terminal(), "no terminal state is left: {:?} to {change:?}", job.state);
                assert_eq!(
                    (change.version, change.revision),
                    (job.version, job.revision + 1),
                    "revisions have no gaps"
                );
                assert!(change.state > job.state, "job states go forward: {:?} to {change:?}", job.state);
                (job.state, job.message) = (change.state, change.message.clone());
                (job.revision, job.modified) = (change.revision, change.modified);
            }
            Record::Submitted { .. } | Record::SecretsGranted { .. } => {
                panic!("who submits, and with which secrets, is no affair of the scheduler")
            }
            Record::ProgressChanged { job, progress } => {
                self.jobs.get_mut(job).expect("a job with progress was accepted").progress = progress.clone();
            }
            Record::ExecutionChanged(execution) => self.execution(execution),
            Record::History(entry) => {
                let history = self.history.entry(entry.job.clone()).or_default();
                assert_eq!(entry.number, history.len() as u64 + 1, "history numbers have no gaps");
                history.push(entry.clone());
            }
            Record::NodeChanged(node) => {
                self.nodes.insert(node.info.id.clone(), node.clone());
            }
            Record::NodeForgotten(node) => {
                assert!(self.nodes.remove(node).is_some(), "a forgotten node was known");
            }
        }
    }

    fn execution(&mut self, new: &Execution) {
        use ExecutionState::*;
        let job = self.jobs.get(&new.job).expect("an execution belongs to a job");
        self.asked.entry(new.id.clone()).or_insert(job.spec.task().resources);
        match self.executions.get(&new.id) {
            None => assert_eq!((&new.state, new.revision), (&Assigned, 1), "executions begin assigned"),
            Some(old) => {
                let legal = matches!(
                    (&old.state, &new.state),
                    (Assigned, Running | Completed(_) | Failed(_) | Refused(_) | Cancelled { .. } | Lost)
                        | (Running, Completed(_) | Failed(_) | Refused(_) | Cancelled { .. } | Lost)
                        | (Lost, Running | Completed(_) | Failed(_))
                );
                assert!(legal, "execution transitions are legal: {:?} to {:?}", old.state, new.state);
                assert_eq!(new.revision, old.revision + 1);
            }
        }
        self.executions.insert(new.id.clone(), new.clone());
    }

    /// What a scheduler gets after a restart. Ended jobs are left out unless something of them is `Lost`.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let lost: BTreeSet<_> =
            self.executions.values().filter(|e| e.state == ExecutionState::Lost).map(|e| &e.job).collect();
        let jobs: Vec<Job> = self
            .jobs
            .values()
            .filter(|job| !job.state.is_terminal() || lost.contains(&job.id))
            .map(|job| Job { next_history: self.history[&job.id].len() as u64 + 1, ..job.clone() })
            .collect();
        let known: BTreeSet<_> = jobs.iter().map(|job| &job.id).collect();
        let executions = self.executions.values().filter(|e| known.contains(&e.job)).cloned().collect();
        Snapshot { nodes: self.nodes.values().cloned().collect(), executions, jobs: jobs.clone() }
    }

    /// Executions of the latest version of a job, in the order they were made.
    pub(crate) fn current(&self, job: &JobId) -> Vec<&Execution> {
        let version = self.jobs[job].version;
        let mut found: Vec<_> =
            self.executions.values().filter(|e| e.job == *job && e.version == version).collect();
        found.sort_by_key(|execution| (execution.partition, execution.created, execution.node.clone()));
        found
    }
}
