//! The history of a job (reference 1.6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that happened to a job or one of its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct HistoryEntry {
    /// From 1, without gaps, over all versions of the job.
    pub seq_num: u64,
    /// `JobLevel` or `ExecutionLevel`.
    #[serde(rename = "Type")]
    pub kind: Level,
    /// The job.
    #[serde(rename = "JobID")]
    pub job_id: String,
    /// Its version.
    pub job_version: u64,
    /// The execution; left out at job level.
    #[serde(rename = "ExecutionID", default, skip_serializing_if = "String::is_empty")]
    pub execution_id: String,
    /// What happened.
    pub event: Event,
    /// RFC 3339.
    pub time: String,
    /// Empty; at job level, for clients older than 1.5, which look into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_state: Option<NoState>,
    /// Empty; at execution level, for clients older than 1.5, which look into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_state: Option<NoState>,
}

/// What clients older than 1.5 look into: states have not been in a history since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NoState {}

impl HistoryEntry {
    /// The same for a client older than 1.5.
    #[must_use]
    pub fn for_older_clients(mut self) -> Self {
        match self.kind {
            Level::Job => self.job_state = Some(NoState {}),
            Level::Execution => self.execution_state = Some(NoState {}),
        }
        self
    }
}

/// Whose history an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Level {
    /// The job's own.
    #[serde(rename = "JobLevel")]
    Job,
    /// One execution's.
    #[serde(rename = "ExecutionLevel")]
    Execution,
}

/// What happened, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    /// For people.
    pub message: String,
    /// One of few, such as `Submission`, `Scheduling`, `Execution`, `State Update`.
    pub topic: String,
    /// RFC 3339.
    pub timestamp: String,
    /// `NodeID`, `Partition`, `ExecutionState`, `NewState` (of the job), `IsError`, `Hint`, `Reason`, `Rule`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

impl Event {
    /// A detail by name.
    pub fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).map(String::as_str)
    }

    /// Whether it tells of a failure.
    pub fn is_error(&self) -> bool {
        self.detail("IsError") == Some("true")
    }
}
