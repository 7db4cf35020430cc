//! Jobs: submitting, reading, stopping (reference 1.1, 3.2 to 3.8).

use serde::{Deserialize, Serialize};
use skrei_job::{Manifest, life::JobState};
use utoipa::ToSchema;

use super::{List, execution::Execution, history::HistoryEntry, rollout::Progress};

/// Where the metadata of a job in an answer says who holds it, under the names of today and of old (reference 1.1). It is not
/// part of the job.
pub const HELD_BY: [&str; 2] = ["bacalhau.org/orchestrator.id", "bacalhau.org/requester.id"];

/// A job as the API shows it: the manifest, and what the system knows of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Job {
    /// `j-` and a UUID.
    #[serde(rename = "ID")]
    pub id: String,
    /// As submitted, defaults applied.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// Where it stands.
    pub state: State,
    /// 1 at first, one more for each update.
    pub version: u64,
    /// 1 at first, one more for each change of state.
    pub revision: u64,
    /// Nanoseconds since the epoch.
    pub create_time: i64,
    /// Nanoseconds since the epoch.
    pub modify_time: i64,
}

/// The state of a job and the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct State {
    /// One word.
    pub state_type: JobState,
    /// The reason; left out if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Body of `PUT /orchestrator/jobs`, as our client sends it. The server reads it more leniently.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutJobRequest<'a> {
    /// The job.
    pub job: &'a Manifest,
    /// Submit even if the stored job of that name is the same.
    pub force: bool,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PutJobResponse {
    /// The job, new or updated.
    #[serde(rename = "JobID")]
    pub job_id: String,
    /// A bare UUID.
    #[serde(rename = "EvaluationID")]
    pub evaluation_id: String,
    /// What was changed or ignored; null if nothing.
    pub warnings: Option<Vec<String>>,
}

/// Answer of `GET /orchestrator/jobs/{id}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct GetJobResponse {
    /// The job.
    pub job: Job,
    /// With `include=history`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<List<HistoryEntry>>,
    /// With `include=executions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executions: Option<List<Execution>>,
    /// With `include=progress`, of the latest version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// Body of `PUT /orchestrator/jobs/{id}/rerun`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct RerunJobRequest {
    /// Which version is to run again; 0 is the latest.
    pub job_version: u64,
    /// Only what failed, was refused or given up in the latest version.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Only what the latest version never started.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missed: bool,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RerunJobResponse {
    /// The job.
    #[serde(rename = "JobID")]
    pub job_id: String,
    /// The version that was made.
    pub job_version: u64,
    /// A bare UUID.
    #[serde(rename = "EvaluationID")]
    pub evaluation_id: String,
    /// What was changed or ignored; null if nothing.
    pub warnings: Option<Vec<String>>,
}

/// Body of `PUT /orchestrator/jobs/diff`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DiffJobRequest<'a> {
    /// The job as it would be submitted.
    pub job: &'a Manifest,
    /// Whether its secrets would be sealed by whoever submits it: such a job gets no defaults of the orchestrator's.
    pub sealed: bool,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DiffJobResponse {
    /// Lines that begin with `+`, `-` or a space; empty if nothing changed.
    pub diff: String,
    /// What was changed or ignored; null if nothing.
    pub warnings: Option<Vec<String>>,
}

/// Body of `DELETE /orchestrator/jobs/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct StopJobRequest {
    /// Shown as the job's message.
    pub reason: Option<String>,
}

/// Its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StopJobResponse {
    /// A bare UUID; empty if the job was stopped already.
    #[serde(rename = "EvaluationID")]
    pub evaluation_id: String,
}
