//! What happened to a job, for people.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use skrei_job::{ExecutionId, JobId, Timestamp};

/// One line of a job's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose history.
    pub job: JobId,
    /// Which version of the job it is about.
    pub version: u64,
    /// Its number in the history of this job: from 1, without gaps, over all versions.
    pub number: u64,
    /// The execution it is about; none means the job as a whole.
    pub execution: Option<ExecutionId>,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of thing happened.
    pub topic: Topic,
    /// What happened.
    pub message: String,
    /// More about it: `NodeID`, `Partition`, `ExecutionState`, `NewState` (of the job), `IsError`, `Hint`, `Reason`, `Rule`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: Details,
}

/// Names and values that go with an entry, in name order.
pub type Details = BTreeMap<Cow<'static, str>, String>;

/// Kinds of things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Topic {
    /// Somebody submitted or updated the job.
    Submission,
    /// Something was placed, taken back, or could not be placed.
    Scheduling,
    /// Something has to wait.
    Queueing,
    /// The job's state changed.
    #[serde(rename = "State Update")]
    StateUpdate,
    /// An execution went on or ended.
    Execution,
    /// An execution ran out of time.
    #[serde(rename = "Exec Timeout")]
    ExecutionTimeout,
    /// The job ran out of time.
    #[serde(rename = "Job Timeout")]
    JobTimeout,
}

impl Topic {
    /// The words shown and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "Submission",
            Self::Scheduling => "Scheduling",
            Self::Queueing => "Queueing",
            Self::StateUpdate => "State Update",
            Self::Execution => "Execution",
            Self::ExecutionTimeout => "Exec Timeout",
            Self::JobTimeout => "Job Timeout",
        }
    }
}
