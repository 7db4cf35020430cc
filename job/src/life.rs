//! The lives of jobs and executions: states, named by what is true, and which may follow which.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ExecutionId, JobId, NodeId, Timestamp,
    outcome::{Failure, Refusal, RunOutput},
};

/// Where a job stands.
///
/// `Pending` → `Queued` | `Running` | terminal; `Queued` → `Running` | terminal; `Running` → terminal.
/// `Completed`, `Failed` and `Stopped` are terminal; only a new version leaves them, and starts at `Pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum JobState {
    /// Accepted; the scheduler has not placed anything yet.
    Pending,
    /// No node fits now; waiting for one.
    Queued,
    /// At least one execution is placed.
    Running,
    /// Everything it was to do is done.
    Completed,
    /// It cannot be completed.
    Failed,
    /// Somebody stopped it.
    Stopped,
}

impl JobState {
    /// Whether nothing more will happen to this version.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    /// Every state with its word on the wire.
    pub const ALL: &[JobState] =
        &[Self::Pending, Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Stopped];

    /// The word shown and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Queued => "Queued",
            Self::Running => "Running",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }
}

/// Where an execution stands.
///
/// `Assigned` → `Running` | terminal; `Running` → terminal. The others are terminal, with one exception:
/// `Lost` → `Running` | `Completed` | `Failed` when the node comes back and says what is really so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionState {
    /// The decision is durable; the node has been told or will be.
    Assigned,
    /// The node runs it.
    Running,
    /// The guest ended with 0.
    Completed(RunOutput),
    /// It ended otherwise.
    Failed(Failure),
    /// The node would not run it; nothing ran.
    Refused(Refusal),
    /// It was stopped before it ended.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// The node has not been heard from for too long; the guest may or may not have ended.
    Lost,
}

impl ExecutionState {
    /// Whether the execution is over as far as the scheduler knows.
    pub fn is_terminal(&self) -> bool {
        !matches!(self, Self::Assigned | Self::Running)
    }

    /// The word shown in tables and history.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Assigned => "Assigned",
            Self::Running => "Running",
            Self::Completed(_) => "Completed",
            Self::Failed(_) => "Failed",
            Self::Refused(_) => "Refused",
            Self::Cancelled { .. } => "Cancelled",
            Self::Lost => "Lost",
        }
    }

    /// What the guest printed and its exit code, if it got that far.
    pub fn output(&self) -> Option<&RunOutput> {
        match self {
            Self::Completed(output) | Self::Failed(Failure { output, .. }) => Some(output),
            _ => None,
        }
    }

    /// The same with what the guest told held within its bounds, whoever reports it.
    #[must_use]
    pub fn sound(mut self) -> Self {
        if let Self::Completed(output) | Self::Failed(Failure { output, .. }) = &mut self {
            output.values = std::mem::take(&mut output.values).sound();
        }
        self
    }

    /// The reason for people, for the states that have one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed(failure) => Some(&failure.message),
            Self::Refused(refusal) => Some(&refusal.message),
            Self::Cancelled { reason } => Some(reason),
            Self::Lost => Some("the node was not heard from for too long, or taken out of the fleet"),
            Self::Assigned | Self::Running | Self::Completed(_) => None,
        }
    }
}

/// One attempt to run a job's task on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its id, made by [`ExecutionId::derive`].
    pub id: ExecutionId,
    /// The job it belongs to.
    pub job: JobId,
    /// The version of the job.
    pub version: u64,
    /// Where it runs.
    pub node: NodeId,
    /// Which part of a batch, from 0; 0 for jobs without partitions.
    pub partition: u32,
    /// How many attempts came before, at this partition or, for jobs without partitions, on this node.
    pub attempt: u32,
    /// Where it stands.
    pub state: ExecutionState,
    /// When the scheduler decided it.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// 1 at creation, one more for each change.
    pub revision: u64,
}
