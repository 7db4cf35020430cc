//! What the event loop is asked, and what it answers.

use std::sync::Arc;

use skrei_job::{JobId, NodeId, Spec, life::JobState};
use skrei_protocol::link::Told;
use skrei_scheduler::{Event, Rerun, Steering, Verdict};
use tokio::sync::oneshot;

use super::Order;
use crate::{
    nodes::Outbox,
    secrets::{Given, NotGranted},
    store::{Error as StoreError, Removable},
};

/// What the event loop is asked to do.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the largest is the most frequent, and a command is moved once"
)]
pub(crate) enum Command {
    /// A new job, or a new version of the one of that name.
    Submit {
        spec: Box<Spec>,
        force: bool,
        token: Option<String>,
        secrets: Given,
        reply: oneshot::Sender<Result<Accepted, Refused>>,
    },
    /// Stop a job.
    Stop { job: JobId, reason: String, reply: oneshot::Sender<Result<Stopped, Refused>> },
    /// A new version of a job, whatever the one before was.
    Rerun { job: JobId, spec: Box<Spec>, rerun: Rerun, reply: oneshot::Sender<Result<Accepted, Refused>> },
    /// Pause, resume or abort a roll-out.
    Steer { job: JobId, steering: Steering, reply: oneshot::Sender<Result<(), Refused>> },
    /// Decide about a node.
    Order { node: NodeId, order: Order, reply: oneshot::Sender<Result<(), Refused>> },
    /// Answer once everything before is stored.
    Settle { reply: oneshot::Sender<Result<(), Refused>> },
    /// Say who would run a job. Nothing follows from it.
    Plan { spec: Box<Spec>, reply: oneshot::Sender<Result<Planned, Refused>> },
    /// Say which of these jobs the scheduler does not remember. Nothing follows from it.
    Forgotten { jobs: Vec<Removable>, reply: oneshot::Sender<Vec<Removable>> },
    /// Something happened to a node or an execution. The number is acknowledged once it is stored.
    Happened { event: Event, acknowledge: Option<(Arc<Outbox>, u64)> },
    /// Guests say how far they are. Nothing is decided or stored.
    Told { node: NodeId, news: Vec<Told> },
    /// Records could not be stored: what is in memory is ahead of the disk.
    Reload,
}

/// Every node, and whether it would run a job now.
pub(crate) type Planned = Vec<(NodeId, Verdict)>;

/// A job that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) job: JobId,
    pub(crate) version: u64,
}

/// What stopping a job came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Now,
    Already,
}

/// Why a command was not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("job `{0}` is the same as the stored one")]
    Unchanged(String),
    #[error("job `{job}` has ended: it is {}", state.as_str())]
    Ended { job: JobId, state: JobState },
    #[error("job `{job}` has not begun to run: it is {}", state.as_str())]
    NotBegun { job: JobId, state: JobState },
    #[error("job `{job}` as it was stored is no valid job any more: {problems}")]
    Outdated { job: JobId, problems: String },
    #[error("there is no job `{0}`")]
    NoSuchJob(JobId),
    #[error("there is no node `{0}`")]
    NoSuchNode(NodeId),
    #[error("node `{node}` is {state} already")]
    NodeIsSo { node: NodeId, state: &'static str },
    #[error("{0}")]
    NotGranted(#[from] NotGranted),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the system has no randomness to give")]
    NoRandomness,
    #[error("the orchestrator is shutting down")]
    ShuttingDown,
}
