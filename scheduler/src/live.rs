//! A job in the scheduler's memory, with its attempts and what it waits for.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use skrei_job::{
    ExecutionId, NodeId, Timestamp, life::Execution, resources::Resources, rollout::WaitForAbsent, spec::Kind,
};

use crate::{Job, placement::Demand, queue::Ticket, rollout::Turn, slot::Slot};

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
    /// The attempts of this version at each slot, oldest first.
    pub(crate) tried: BTreeMap<Slot, Vec<ExecutionId>>,
    /// Partitions that wait for room, and for what.
    pub(crate) waiting: BTreeMap<u32, Arc<Demand>>,
    /// Slots that get another attempt at a time.
    pub(crate) again: BTreeMap<Slot, Timestamp>,
    /// Slots that are to be started when their turn comes.
    pub(crate) due: BTreeSet<Turn>,
    /// Nodes that are to have an execution and are not there.
    pub(crate) absent: BTreeSet<NodeId>,
    /// Slots that were started and have not come to a good or bad end; for services and daemons, that do not
    /// run yet.
    pub(crate) under_way: BTreeSet<Slot>,
    /// How many slots may still be started in this wave.
    pub(crate) wave_left: usize,
    /// Slots that went wrong and were not put right since.
    pub(crate) failed: BTreeSet<Slot>,
    /// How many partitions are done.
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
            again: BTreeMap::new(),
            due: BTreeSet::new(),
            absent: BTreeSet::new(),
            under_way: BTreeSet::new(),
            wave_left: 0,
            failed: BTreeSet::new(),
            completed: 0,
            forget_at: None,
        }
    }

    /// Number of partitions of a job that has some.
    pub(crate) fn partitions(&self) -> u32 {
        match self.job.spec.kind() {
            Kind::Batch { count } | Kind::Service { count } => count,
            Kind::Ops | Kind::Daemon => 0,
        }
    }

    /// Those of its partitions that this version is about.
    pub(crate) fn wanted_partitions(&self) -> impl Iterator<Item = u32> + use<'_> {
        (0..self.partitions()).filter(|partition| self.job.progress.only.has_partition(*partition))
    }

    pub(crate) fn slot_of(&self, execution: &Execution) -> Slot {
        Slot::of(self.job.spec.kind(), execution)
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

    /// Attempts at one slot, oldest first. Those of services and daemons that ended long ago are forgotten.
    pub(crate) fn attempts_at(&self, slot: &Slot) -> impl Iterator<Item = &Execution> {
        self.tried.get(slot).into_iter().flatten().filter_map(|id| self.execution(id))
    }

    /// Nothing more is expected to be heard of what ended on this node.
    pub(crate) fn write_off(&mut self, node: &NodeId) {
        for attempt in self.attempts.values_mut().filter(|it| it.owed && it.execution.node == *node) {
            attempt.owed = false;
            self.owed -= 1;
        }
    }

    /// The last attempt at a slot.
    pub(crate) fn last_at(&self, slot: &Slot) -> Option<&Execution> {
        self.execution(self.tried.get(slot)?.last()?)
    }

    /// Whether a slot has an attempt that is assigned or running.
    pub(crate) fn is_filled(&self, slot: &Slot) -> bool {
        self.last_at(slot).is_some_and(|execution| !execution.state.is_terminal())
    }

    /// Whether another attempt took the place of this one.
    pub(crate) fn is_replaced(&self, execution: &Execution) -> bool {
        self.is_current(execution)
            && self
                .tried
                .get(&self.slot_of(execution))
                .and_then(|tried| tried.last())
                .is_some_and(|last| *last != execution.id)
    }

    pub(crate) fn ticket(&self, partition: u32) -> Ticket {
        Ticket {
            priority: Reverse(self.job.spec.priority()),
            submitted: self.job.submitted,
            job: self.job.id.clone(),
            partition,
        }
    }

    /// Whether an ops job has nothing left that runs, waits or is to run.
    pub(crate) fn may_be_over(&self) -> bool {
        let goes_on =
            self.active > 0 || !self.again.is_empty() || !self.due.is_empty() || !self.absent.is_empty();
        self.job.spec.kind() == Kind::Ops && !goes_on && !self.job.state.is_terminal()
    }

    /// When this version may no longer wait for a node to appear; none if it may not wait at all.
    pub(crate) fn queue_deadline(&self) -> Option<Timestamp> {
        self.job.spec.task().timeouts.queue.map(|timeout| self.job.submitted.after(timeout))
    }

    /// When this version must be over.
    pub(crate) fn total_deadline(&self) -> Option<Timestamp> {
        self.job.spec.task().timeouts.total.map(|timeout| self.job.submitted.after(timeout))
    }

    /// Whether an ops job may wait for a first node to match.
    pub(crate) fn may_wait_for_first(&self, now: Timestamp) -> bool {
        let waits = match self.job.spec.rollout().wait_for_absent {
            WaitForAbsent::Never => false,
            WaitForAbsent::For(span) => now < self.job.submitted.after(span),
            WaitForAbsent::Forever => true,
        };
        waits || self.may_wait_for_nodes(now)
    }

    /// Whether the job may wait although no known node could ever run it. A service that once ran is not given
    /// up because its nodes are gone.
    pub(crate) fn may_wait_for_nodes(&self, now: Timestamp) -> bool {
        let runs_on = self.job.spec.kind().is_kept_running() && !self.tried.is_empty();
        runs_on || self.queue_deadline().is_some_and(|deadline| now < deadline)
    }
}
