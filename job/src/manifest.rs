//! The job as written: the shape of the job file and of the API, forgiving and unchecked.
//!
//! The keys are those of the Bacalhau job model (reference requester-api 1.1 to 1.4). Deriving serde here is a
//! promise: this is what is stored, sent to nodes and shown by the API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::secret;

/// A job as a person or a program wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Manifest {
    /// Unique within the namespace; empty means the job's id. The same name again is an update.
    pub name: String,
    /// Empty means `default`.
    pub namespace: String,
    /// `batch`, `ops`, `service` or `daemon`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Larger runs first. Default 0.
    pub priority: i64,
    /// Number of partitions (`batch`, `service`). Absent means 1; `ops` and `daemon` take none.
    pub count: Option<i64>,
    /// Conditions on the labels of nodes; all must hold.
    pub constraints: Vec<Constraint>,
    /// Free text the system carries along.
    pub meta: BTreeMap<String, String>,
    /// For finding the job again.
    pub labels: BTreeMap<String, String>,
    /// How it spreads over the fleet. Ours: Bacalhau starts everywhere at once.
    #[serde(skip_serializing_if = "Rollout::is_empty")]
    pub rollout: Rollout,
    /// What is tried again. Ours: Bacalhau's rule is fixed.
    #[serde(skip_serializing_if = "Retry::is_empty")]
    pub retry: Retry,
    /// Exactly one task runs; more are dropped with a warning.
    pub tasks: Vec<Task>,
}

impl Manifest {
    /// The job as bytes, the same for the same job wherever it is read: what a secret can be sealed for.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn canonical(&self) -> serde_json::Result<Vec<u8>> {
        // As a value first: there keys are in the order of the alphabet, however they were written.
        serde_json::to_vec(&serde_json::to_value(self)?)
    }

    /// Whether it names a secret, in whatever place.
    pub fn names_secrets(&self) -> bool {
        self.tasks.iter().any(|task| {
            !task.secrets.is_empty() || task.env.values().any(|value| secret::referenced(value).is_some())
        })
    }
}

/// One condition as written; the operator is still text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Constraint {
    /// The label's name.
    pub key: String,
    /// One of `=`, `==`, `!=`, `in`, `notin`, `exists`, `!`, `gt`, `lt`.
    pub operator: String,
    /// Values to compare with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a job spreads over its fleet, as written; empty fields have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Rollout {
    /// `none`, `forever`, or a span of time: `24h`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wait_for_absent: String,
    /// `10` or `10%`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub max_parallel: String,
    /// How many go first.
    #[serde(skip_serializing_if = "is_zero")]
    pub canary: i64,
    /// A span of time.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pause: String,
    /// `1` or `5%`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_after_failures: String,
    /// `name`, `random`, or `label NAME`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub order: String,
}

impl Rollout {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What is tried again, as written; empty fields have their defaults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Retry {
    /// How many further attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<i64>,
    /// A span of time.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub backoff: String,
    /// `node-lost`, `timeout`, `exit`, `trap`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
}

impl Retry {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What runs, and with what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Task {
    /// Required; a label for people.
    pub name: String,
    /// What runs it; `wasm` is the only type.
    pub engine: Typed,
    /// Where results go; an empty type publishes nothing.
    pub publisher: Typed,
    /// Environment of the guest.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Free text the system carries along.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    /// What the guest is given that nobody else may see: references, no values. Ours: Bacalhau has no secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretUse>,
    /// What the guest can read, or write where asked and allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_sources: Vec<InputSource>,
    /// Directories collected when the guest is done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub result_paths: Vec<ResultPath>,
    /// What the task asks of the node.
    pub resources: Resources,
    /// What the guest may reach.
    pub network: Network,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// A type name and its free-form parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Typed {
    /// Compared without regard to case.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Meaning depends on the type.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

/// A secret of the guest, and where it finds it: in a file or in a variable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct SecretUse {
    /// The secret's name.
    pub name: String,
    /// The guest path of a file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub target: String,
    /// Octal digits; only reading is given. Empty means `0400`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// The name of a variable.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub env: String,
}

/// Something put at a path of the guest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct InputSource {
    /// Where it comes from.
    pub source: Typed,
    /// Another name for it, unique in the task.
    pub alias: String,
    /// The guest path, unique in the task.
    pub target: String,
}

/// A directory whose content is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct ResultPath {
    /// Name in the results.
    pub name: String,
    /// Absolute guest path.
    pub path: String,
}

/// Amounts as text: `500m` or `0.5` cores; bytes with units, where `Mb` is 10⁶ and `Mi` is 2²⁰; pieces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = RequestedResources)]
pub struct Resources {
    /// `500m` or `0.5`.
    #[serde(rename = "CPU", skip_serializing_if = "String::is_empty")]
    pub cpu: String,
    /// `512MB`.
    #[serde(rename = "Memory", skip_serializing_if = "String::is_empty")]
    pub memory: String,
    /// `1GB`.
    #[serde(rename = "Disk", skip_serializing_if = "String::is_empty")]
    pub disk: String,
    /// `1`.
    #[serde(rename = "GPU", skip_serializing_if = "String::is_empty")]
    pub gpu: String,
}

/// What the guest may reach.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Network {
    /// `None`, `Default`, `HTTP`, `Full`, `Host` or `Bridge`; empty means `Default`.
    #[serde(rename = "Type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Hosts allowed with `HTTP`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Ports of a service, as written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<Value>,
}

/// Limits in whole seconds; 0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct Timeouts {
    /// For one execution.
    #[serde(skip_serializing_if = "is_zero")]
    pub execution_timeout: i64,
    /// For waiting until a node fits.
    #[serde(skip_serializing_if = "is_zero")]
    pub queue_timeout: i64,
    /// For the whole job.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_timeout: i64,
    /// Processor time of one execution; a field of ours.
    #[serde(rename = "CPUTime", skip_serializing_if = "is_zero")]
    pub cpu_time: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}
