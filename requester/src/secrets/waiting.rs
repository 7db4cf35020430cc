//! Nodes that wait for a secret to be sealed to them.
//!
//! Whoever sealed it did not know them, or they were away. Their question is kept until somebody seals it for them, the
//! execution ends or the link breaks: on the next one they ask again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use skrei_job::{ExecutionId, JobId, NodeId};
use skrei_protocol::link::WantSecrets;

/// Questions without an answer yet. There are no more of them than executions that nodes were given.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<NodeId, BTreeMap<ExecutionId, JobId>>>);

impl Waiting {
    pub(super) fn wait(&self, node: &NodeId, wanted: &WantSecrets) {
        let mut waiting = self.lock();
        waiting.entry(node.clone()).or_default().insert(wanted.execution.clone(), wanted.job.clone());
    }

    /// An execution needs no answer any more.
    pub(crate) fn ended(&self, node: &NodeId, execution: &ExecutionId) {
        let mut waiting = self.lock();
        if let Some(of_node) = waiting.get_mut(node) {
            of_node.remove(execution);
            if of_node.is_empty() {
                waiting.remove(node);
            }
        }
    }

    /// A node asks again when it is back.
    pub(crate) fn gone(&self, node: &NodeId) {
        self.lock().remove(node);
    }

    /// The nodes that wait for secrets of a job.
    pub(crate) fn for_job(&self, job: &JobId) -> BTreeSet<NodeId> {
        let waiting = self.lock();
        let of_job = |of_node: &BTreeMap<ExecutionId, JobId>| of_node.values().any(|other| other == job);
        waiting.iter().filter(|(_, of_node)| of_job(of_node)).map(|(node, _)| node.clone()).collect()
    }

    /// The questions for a job, to be asked again.
    pub(super) fn take(&self, job: &JobId) -> Vec<(NodeId, WantSecrets)> {
        let mut waiting = self.lock();
        let mut taken = Vec::new();
        for (node, of_node) in waiting.iter_mut() {
            for (execution, job) in of_node.extract_if(.., |_, other| other == job) {
                taken.push((node.clone(), WantSecrets { execution, job }));
            }
        }
        waiting.retain(|_, of_node| !of_node.is_empty());
        taken
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, BTreeMap<ExecutionId, JobId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
