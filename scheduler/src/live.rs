//! A job in the scheduler's memory, with its attempts and what it waits for.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use skrei_job::{
    ExecutionId, NodeId, Timestamp,
    life::{Execution, ExecutionState},
    outcome::{Cause, Failure},
    resources::Resources,
    spec::Kind,
};

use crate::{Job, placement::Demand, queue::Ticket};

/// An execution, and whether its node still owes a word about how it ended.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) execution: Execution,
    /// True for executions that the scheduler ended (cancelled, lost) and whose node has not confirmed it.
    pub(crate) owed: bool,
    /// What it takes from its node.
    pub(crate) resources: Resources,
}

/// A job that is going on, or that ended while nodes still owe outcomes.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) job: Job,
    /// What each of its executions asks of a node, nodes that refused left out.
    pub(crate) demand: Arc<Demand>,
    /// All attempts of this version, and those of earlier versions that are owed an outcome.
    pub(crate) attempts: BTreeMap<ExecutionId, Attempt>,
    /// How many attempts of this version are assigned or running.
    pub(crate) active: usize,
    /// How many attempts are owed an outcome.
    pub(crate) owed: usize,
    /// Batch: the attempts at each partition, oldest first.
    pub(crate) tried: BTreeMap<u32, Vec<ExecutionId>>,
    /// Batch: the partitions that wait, and for what.
    pub(crate) waiting: BTreeMap<u32, Arc<Demand>>,
    /// Batch: how many partitions are done.
    pub(crate) completed: u32,
    /// When an ended job is forgotten.
    pub(crate) forget_at: Option<Timestamp>,
}

impl Live {
    pub(crate) fn new(job: Job) -> Self {
        Self {
            demand: Arc::new(Demand::of(&job.spec)),
            job,
            attempts: BTreeMap::new(),
            active: 0,
            owed: 0,
            tried: BTreeMap::new(),
            waiting: BTreeMap::new(),
            completed: 0,
            forget_at: None,
        }
    }

    /// Number of partitions of a batch job.
    pub(crate) fn partitions(&self) -> u32 {
        match self.job.spec.kind() {
            Kind::Batch { count } => count,
            Kind::Ops | Kind::Service { .. } | Kind::Daemon => 0,
        }
    }

    pub(crate) fn is_current(&self, execution: &Execution) -> bool {
        execution.version == self.job.version
    }

    pub(crate) fn current(&self) -> impl Iterator<Item = &Execution> {
        let version = self.job.version;
        self.attempts.values().map(|attempt| &attempt.execution).filter(move |e| e.version == version)
    }

    pub(crate) fn execution(&self, id: &ExecutionId) -> Option<&Execution> {
        self.attempts.get(id).map(|attempt| &attempt.execution)
    }

    /// Attempts at one partition, oldest first.
    pub(crate) fn attempts_at(&self, partition: u32) -> impl Iterator<Item = &Execution> {
        self.tried.get(&partition).into_iter().flatten().filter_map(|id| self.execution(id))
    }

    /// Whether another attempt took the place of this one.
    pub(crate) fn is_replaced(&self, execution: &Execution) -> bool {
        self.is_current(execution)
            && self
                .tried
                .get(&execution.partition)
                .and_then(|tried| tried.last())
                .is_some_and(|last| *last != execution.id)
    }

    /// What the next attempt at a partition asks: the demand of the job, and another node than before.
    pub(crate) fn demand_for(&self, partition: u32) -> Arc<Demand> {
        let tried: BTreeSet<NodeId> = self.attempts_at(partition).map(|e| e.node.clone()).collect();
        if tried.is_subset(&self.demand.excluded) {
            return self.demand.clone();
        }
        Arc::new(self.demand.excluding(tried.union(&self.demand.excluded).cloned().collect()))
    }

    /// How often a partition was lost with its node.
    pub(crate) fn losses(&self, partition: u32) -> usize {
        self.attempts_at(partition).filter(|execution| is_loss(&execution.state)).count()
    }

    pub(crate) fn ticket(&self, partition: u32) -> Ticket {
        Ticket {
            priority: Reverse(self.job.spec.priority()),
            submitted: self.job.submitted,
            job: self.job.id.clone(),
            partition,
        }
    }

    /// When this version may no longer wait for a node to appear; none if it may not wait at all.
    pub(crate) fn queue_deadline(&self) -> Option<Timestamp> {
        self.job.spec.task().timeouts.queue.map(|timeout| self.job.submitted.after(timeout))
    }

    /// When this version must be over.
    pub(crate) fn total_deadline(&self) -> Option<Timestamp> {
        self.job.spec.task().timeouts.total.map(|timeout| self.job.submitted.after(timeout))
    }

    /// Whether the job may wait although no known node could ever run it.
    pub(crate) fn may_wait_for_nodes(&self, now: Timestamp) -> bool {
        self.queue_deadline().is_some_and(|deadline| now < deadline)
    }
}

/// Whether an execution ended with its node and may do better on another one.
pub(crate) fn is_loss(state: &ExecutionState) -> bool {
    matches!(
        state,
        ExecutionState::Lost
            | ExecutionState::Failed(Failure { cause: Cause::Interrupted | Cause::NodeLost, .. })
    )
}
