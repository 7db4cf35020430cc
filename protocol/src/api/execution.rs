//! Executions, with the state numbers of Bacalhau (reference 0.4, 1.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use skrei_job::{
    EvaluationId,
    life::{self, ExecutionState},
    objects::Bucket,
    outcome::{self, Cause},
};
use utoipa::ToSchema;

use super::{resources::Resources, told::Progress};

/// An execution as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Execution {
    /// `e-` and a UUID.
    #[serde(rename = "ID")]
    pub id: String,
    /// Of its job.
    pub namespace: String,
    /// The deciding about this version of the job, as the submission was answered: a bare UUID.
    #[serde(rename = "EvalID", default)]
    pub eval_id: String,
    /// Empty.
    #[serde(default)]
    pub name: String,
    /// Where it runs.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// What it runs.
    #[serde(rename = "JobID")]
    pub job_id: String,
    /// Which version of it.
    pub job_version: u64,
    /// Amounts reserved, by task.
    pub allocated_resources: AllocatedResources,
    /// What the orchestrator wants of it.
    pub desired_state: NumberedState,
    /// What the node says of it.
    pub compute_state: NumberedState,
    /// Where its results are; an empty type if nowhere.
    pub published_result: PublishedResult,
    /// What it printed, and its exit code.
    pub run_output: Option<RunOutput>,
    /// How far its guest says it is; only while it runs, and if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Which part of a batch, from 0; left out for 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub partition_index: u32,
    /// Empty: attempts are told apart by their number.
    #[serde(default)]
    pub previous_execution: String,
    /// Empty.
    #[serde(default)]
    pub next_execution: String,
    /// Empty.
    #[serde(rename = "FollowupEvalID", default)]
    pub followup_eval_id: String,
    /// One more for each change.
    pub revision: u64,
    /// Nanoseconds since the epoch.
    pub create_time: i64,
    /// Nanoseconds since the epoch.
    pub modify_time: i64,
}

/// Amounts by task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AllocatedResources {
    /// Task name to amounts.
    pub tasks: BTreeMap<String, Resources>,
}

/// A state as a number: execution states are numbers on the wire, job states are words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NumberedState {
    /// On its node: 3 assigned, 4 refused, 5 running, 9 completed, 10 failed, 11 cancelled. Desired: 1 running,
    /// 2 stopped.
    pub state_type: u8,
    /// The reason; left out if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// `Hint`, `Rule` or `Cause`, for executions that failed or were refused.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Where results are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PublishedResult {
    /// How they are had; empty if there are none.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Meaning depends on the type.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

impl PublishedResult {
    /// Objects in a bucket, with every key that Bacalhau's clients know (reference 8.2).
    pub fn bucket(bucket: &Bucket, key: &str, digest: Option<&str>, version: Option<&str>) -> Self {
        let params = json!({
            "Bucket": bucket.name,
            "Key": key,
            "Filter": "",
            "Region": bucket.region.as_deref().unwrap_or_default(),
            "Endpoint": bucket.endpoint.as_deref().unwrap_or_default(),
            "VersionID": version.unwrap_or_default(),
            "ChecksumSHA256": digest.unwrap_or_default(),
            "Partition": {"Type": "", "Pattern": "", "StartIndex": 0, "EndIndex": 0, "DateFormat": ""},
        });
        let params = if let Value::Object(params) = params { params } else { Map::new() };
        Self { kind: "s3".to_owned(), params }
    }

    /// The same with a URL that is good for a while (reference 8.3).
    pub fn signed(self, url: &str) -> Self {
        let params = [
            ("SourceSpec", json!({"Type": self.kind, "Params": self.params})),
            ("PreSignedURL", json!(url)),
            ("Managed", json!(false)),
        ];
        Self {
            kind: "s3PreSigned".to_owned(),
            params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }

    /// One archive behind a URL.
    pub fn url_download(url: &str) -> Self {
        Self {
            kind: "urlDownload".to_owned(),
            params: Map::from_iter([("URL".to_owned(), Value::String(url.to_owned()))]),
        }
    }
}

/// What an execution printed. Of its keys only `stderr` is lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RunOutput {
    /// First 2048 bytes.
    pub stdout: String,
    /// Whether there was more.
    pub stdout_truncated: bool,
    /// First 2048 bytes.
    #[serde(rename = "stderr")]
    pub stderr: String,
    /// Whether there was more.
    pub stderr_truncated: bool,
    /// 0 also while there is none.
    pub exit_code: i32,
    /// Why it failed, if not by its exit code.
    pub error_msg: String,
    /// What the guest told of what it found, JSON by key; left out if there is nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, serde_json::Value>,
}

/// Numbers of the execution states a node goes through.
pub mod compute_state {
    /// Assigned, not yet started.
    pub const ACCEPTED: u8 = 3;
    /// Refused by the node.
    pub const REFUSED: u8 = 4;
    /// Running: 5, since the web page does not know 6.
    pub const RUNNING: u8 = 5;
    /// Ended with 0.
    pub const COMPLETED: u8 = 9;
    /// Ended otherwise, or lost.
    pub const FAILED: u8 = 10;
    /// Stopped before it ended.
    pub const CANCELLED: u8 = 11;

    /// The word for people.
    pub fn word(number: u8) -> &'static str {
        match number {
            ACCEPTED => "Assigned",
            REFUSED => "Refused",
            RUNNING => "Running",
            COMPLETED => "Completed",
            FAILED => "Failed",
            CANCELLED => "Cancelled",
            _ => "Unknown",
        }
    }
}

/// Numbers of the states the orchestrator wants.
pub mod desired_state {
    /// It is to run.
    pub const RUNNING: u8 = 1;
    /// It is over.
    pub const STOPPED: u8 = 2;

    /// The word for people.
    pub fn word(number: u8) -> &'static str {
        match number {
            0 => "Pending",
            RUNNING => "Running",
            STOPPED => "Stopped",
            _ => "Unknown",
        }
    }
}

impl Execution {
    /// The wire form of an execution of a job in `namespace` whose task reserves `resources`.
    pub fn new(execution: &life::Execution, namespace: &str, task: &str, resources: Resources) -> Self {
        let desired =
            if execution.state.is_terminal() { desired_state::STOPPED } else { desired_state::RUNNING };
        Self {
            id: execution.id.to_string(),
            namespace: namespace.to_owned(),
            eval_id: EvaluationId::derive(&execution.job, execution.version).to_string(),
            name: String::new(),
            node_id: execution.node.to_string(),
            job_id: execution.job.to_string(),
            job_version: execution.version,
            allocated_resources: AllocatedResources { tasks: BTreeMap::from([(task.to_owned(), resources)]) },
            desired_state: NumberedState {
                state_type: desired,
                message: String::new(),
                details: BTreeMap::new(),
            },
            compute_state: NumberedState::from(&execution.state),
            published_result: PublishedResult::default(),
            run_output: Some(RunOutput::from(&execution.state)),
            progress: None,
            partition_index: execution.partition,
            previous_execution: String::new(),
            next_execution: String::new(),
            followup_eval_id: String::new(),
            revision: execution.revision,
            create_time: execution.created.as_nanos(),
            modify_time: execution.modified.as_nanos(),
        }
    }
}

impl From<&ExecutionState> for NumberedState {
    fn from(state: &ExecutionState) -> Self {
        let number = match state {
            ExecutionState::Assigned => compute_state::ACCEPTED,
            ExecutionState::Running => compute_state::RUNNING,
            ExecutionState::Completed(_) => compute_state::COMPLETED,
            ExecutionState::Failed(_) | ExecutionState::Lost => compute_state::FAILED,
            ExecutionState::Refused(_) => compute_state::REFUSED,
            ExecutionState::Cancelled { .. } => compute_state::CANCELLED,
        };
        let mut details = BTreeMap::new();
        let mut detail = |name: &str, value: &str| details.insert(name.to_owned(), value.to_owned());
        match state {
            ExecutionState::Failed(failure) => {
                detail("Cause", cause(failure.cause));
                failure.hint.as_deref().map(|hint| detail("Hint", hint));
            }
            ExecutionState::Refused(refusal) => {
                detail("Rule", refusal.rule.as_str());
                refusal.hint.as_deref().map(|hint| detail("Hint", hint));
            }
            ExecutionState::Lost => {
                detail("Cause", cause(Cause::NodeLost));
            }
            _ => {}
        }
        Self { state_type: number, message: state.reason().unwrap_or_default().to_owned(), details }
    }
}

impl From<&ExecutionState> for RunOutput {
    fn from(state: &ExecutionState) -> Self {
        let outcome::RunOutput {
            stdout, stdout_truncated, stderr, stderr_truncated, exit_code, values, ..
        } = state.output().cloned().unwrap_or_default();
        let error_msg = match state {
            ExecutionState::Failed(failure) if failure.cause != Cause::Exited => failure.message.clone(),
            _ => String::new(),
        };
        let exit_code = exit_code.unwrap_or(0);
        let values = values.into();
        Self { stdout, stdout_truncated, stderr, stderr_truncated, exit_code, error_msg, values }
    }
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Exited => "Exited",
        Cause::Trapped => "Trapped",
        Cause::Limit => "Limit",
        Cause::Timeout => "Timeout",
        Cause::NotPrepared => "NotPrepared",
        Cause::NotPublished => "NotPublished",
        Cause::Interrupted => "Interrupted",
        Cause::NodeLost => "NodeLost",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
