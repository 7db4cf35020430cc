//! Everything that can happen.

use std::sync::Arc;

use skrei_job::{ExecutionId, JobId, NodeId, Spec, life::ExecutionState};

use crate::{Job, NodeInfo, NodeOrder, Only, Steering};

/// Somebody has what is stored of a job run again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rerun {
    /// Why, in words that may be empty.
    pub reason: String,
    /// What of it is to run.
    pub only: Only,
}

/// Something happened outside; the scheduler decides what follows.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the largest is the most frequent, and an event is moved once")]
pub enum Event {
    /// A new job. Ignored if a job of this id is at hand.
    JobSubmitted {
        /// Its new id.
        job: JobId,
        /// What is meant.
        spec: Arc<Spec>,
    },
    /// A new version of a job, whatever state it is in.
    JobUpdated {
        /// The job as stored. It counts only if the scheduler no longer remembers the job.
        stored: Box<Job>,
        /// What is meant now.
        spec: Arc<Spec>,
        /// Why what is stored is to run again, and what of it; none if somebody submitted it.
        rerun: Option<Rerun>,
    },
    /// Somebody stopped a job. Changes nothing if the job has ended.
    JobStopped {
        /// Which.
        job: JobId,
        /// Why, for people.
        reason: String,
    },
    /// Somebody paused, resumed or aborted a roll-out. Changes nothing if the job has ended.
    RolloutSteered {
        /// Of which job.
        job: JobId,
        /// What was said.
        steering: Steering,
    },
    /// A node's link is up, for the first time or again.
    NodeConnected {
        /// What it says about itself. Its membership counts for a node that is met for the first time; of one that is
        /// known, what was decided about it does.
        node: NodeInfo,
        /// The executions it has that have not ended there. It is told to cancel those it should not run.
        holds: Vec<ExecutionId>,
    },
    /// Labels, capacity or membership of a node changed.
    NodeChanged {
        /// What holds now.
        node: NodeInfo,
    },
    /// A connected node says that it does well no longer, or again.
    NodeHealth {
        /// Which.
        node: NodeId,
        /// Why it can do nothing new, for people; none if it does well.
        unwell: Option<String>,
    },
    /// Somebody in charge of the fleet decided about a node. Changes nothing if it is not known.
    NodeOrdered {
        /// Which.
        node: NodeId,
        /// What was decided.
        order: NodeOrder,
    },
    /// A node's link broke.
    NodeDisconnected {
        /// Which.
        node: NodeId,
    },
    /// Somebody removed a node; what it still runs is lost at once.
    NodeForgotten {
        /// Which.
        node: NodeId,
    },
    /// A node began to run an execution.
    ExecutionStarted {
        /// Which.
        execution: ExecutionId,
        /// Who says so.
        node: NodeId,
    },
    /// An execution ended, or was refused.
    ExecutionEnded {
        /// Which.
        execution: ExecutionId,
        /// Who says so.
        node: NodeId,
        /// `Completed`, `Failed`, `Refused` or `Cancelled`; any other state is ignored.
        state: ExecutionState,
    },
    /// Time passed; sent when [`Scheduler::next_wakeup`](crate::Scheduler::next_wakeup) says so.
    Tick,
}
