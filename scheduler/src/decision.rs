//! What follows from an event.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use skrei_job::{
    ExecutionId, JobId, NodeId, Timestamp,
    life::{Execution, JobState},
    secret,
};

use crate::{Job, Node, Progress, history::Entry};

/// What to store, and then what to send. All records of a decision are stored together or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// To be stored durably, in this order, before anything is sent.
    pub records: Vec<Record>,
    /// To be sent once the records are stored.
    pub sends: Vec<Send>,
}

/// A fact to store. Its serialised form is what old stores contain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A new job or a new version of one, spec included.
    JobAccepted(Job),
    /// A submission that its sender may repeat was answered with this version of a job.
    Submitted {
        /// What the sender calls it.
        token: String,
        /// The job.
        job: JobId,
        /// Its version.
        version: u64,
        /// When.
        at: Timestamp,
    },
    /// Which secrets a version of a job may have. What was given with earlier versions is not needed any more.
    SecretsGranted {
        /// The job.
        job: JobId,
        /// Its version.
        version: u64,
        /// One for each secret that it names. Shared: what was sealed to a fleet is large.
        grants: Arc<[Grant]>,
    },
    /// The state of a job changed.
    JobChanged(JobChange),
    /// Who waits or was missed changed, or whether anything new may start.
    ProgressChanged {
        /// Of which job.
        job: JobId,
        /// What holds now, of its latest version.
        progress: Progress,
    },
    /// An execution was created (revision 1) or changed.
    ExecutionChanged(Execution),
    /// Something for the job's history.
    History(Entry),
    /// A node was met for the first time, or changed.
    NodeChanged(Node),
    /// A node was removed.
    NodeForgotten(NodeId),
}

/// A secret that a version of a job may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The secret's name.
    pub name: secret::Name,
    /// Whether it was given with the job; otherwise it belongs to the namespace.
    pub given: bool,
    /// What was given, locked; none once it was removed. The scheduler makes nothing of it.
    pub locked: Option<Vec<u8>>,
    /// What was given by whoever sealed it for nodes, an envelope each time; empty once it was removed, none if it was not
    /// given so. Nobody here can open it.
    #[serde(default)]
    pub sealed: Option<Vec<secret::SealedByClient>>,
    /// Stands for the value where it is shown; empty if nobody here knows it.
    pub fingerprint: String,
    /// When it was granted.
    pub at: Timestamp,
}

/// What changed about a job when its state did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobChange {
    /// Which job.
    pub job: JobId,
    /// Which version of it.
    pub version: u64,
    /// Its new revision.
    pub revision: u64,
    /// Its new state.
    pub state: JobState,
    /// Why, for people; may be empty.
    pub message: String,
    /// When.
    pub modified: Timestamp,
}

/// A message to a connected node. Repeating one does no harm: executions are told apart by their id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    /// Run this execution.
    Run {
        /// To whom.
        node: NodeId,
        /// Which.
        execution: ExecutionId,
        /// The job it belongs to.
        job: JobId,
    },
    /// Stop this execution, or do not start it. The node may not know it.
    Cancel {
        /// To whom.
        node: NodeId,
        /// Which.
        execution: ExecutionId,
        /// Why, for people.
        reason: String,
    },
}
