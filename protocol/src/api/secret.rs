//! Secrets: values go in and do not come out. Ours: Bacalhau has none.

use serde::{Deserialize, Serialize};
use skrei_job::{labels::Labels, secret::Name};
use utoipa::ToSchema;

/// A stored secret, as far as anybody may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StoredSecret {
    /// Its name.
    #[schema(value_type = String)]
    pub name: Name,
    /// Where the name counts.
    pub namespace: String,
    /// How often it was set.
    pub version: u64,
    /// First digits of the fingerprint: the same for the same value, and no help in guessing it.
    pub fingerprint: String,
    /// Names of the jobs that may have it, with `*` for any text.
    pub jobs: Vec<String>,
    /// What must hold for the labels of a node; nothing: any node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// When the name was first set, in nanoseconds since 1970.
    pub create_time: i64,
    /// When the value was.
    pub modify_time: i64,
}

/// Answer to `GET /orchestrator/secrets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ListSecretsResponse {
    /// By name.
    pub items: Vec<StoredSecret>,
}

/// Body of `PUT /orchestrator/secrets/{name}`.
// It has no `Debug`: the value is in it.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct PutSecretRequest {
    /// The value, in base64.
    #[schema(required)]
    pub value: String,
    /// Names of the jobs that may have it. Absent: as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Vec<String>>,
    /// A selector for the labels of nodes. Absent: as it was; empty: any node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<String>,
    /// It must be there already: its value is replaced and its scope stays.
    pub rotate: bool,
}

/// Answer to `PUT /orchestrator/secrets/{name}`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PutSecretResponse {
    /// As it is now.
    pub secret: StoredSecret,
    /// Whether the value is the one it had before.
    pub same_value: bool,
}

/// What one version of a job may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Grant {
    /// The secret's name.
    #[schema(value_type = String)]
    pub name: Name,
    /// Which version of the job.
    pub job_version: u64,
    /// Whether it was given with the job, or belongs to the namespace.
    pub origin: Origin,
    /// First digits of the fingerprint; empty if the secret is no longer there.
    pub fingerprint: String,
    /// When its value was set, in nanoseconds since 1970; 0 if it is no longer there.
    pub set_time: i64,
    /// Why it is no longer there; empty if it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub removed: String,
    /// The nodes that it was sealed for by whoever submitted the job.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed_for: Vec<String>,
    /// The nodes that have an execution of the job and wait until it is sealed for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// Where the value of a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Origin {
    /// With the version of the job.
    Given,
    /// Under its name in the namespace.
    Stored,
    /// With the version of the job, sealed to nodes by whoever submitted it: the orchestrator cannot open it.
    Sealed,
}

/// The key that secrets for a node are sealed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct NodeKey {
    /// Which node.
    #[serde(rename = "NodeID")]
    pub node_id: String,
    /// An X25519 public key in base64.
    pub sealing_key: String,
    /// The node's labels, as jobs are placed by them.
    #[schema(value_type = BTreeMap<String, String>)]
    pub labels: Labels,
}

/// Answer to `GET /orchestrator/sealing-keys`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ListSealingKeysResponse {
    /// Of the nodes that are linked and approved, by id.
    pub items: Vec<NodeKey>,
}

/// Answer to `PUT /orchestrator/jobs/{id}/secrets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct SealResponse {
    /// The version of the job that has them now.
    pub job_version: u64,
}

/// Answer to `GET /orchestrator/jobs/{id}/secrets`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ListGrantsResponse {
    /// Of the latest version, by name.
    pub items: Vec<Grant>,
}

/// Answer to `PUT /orchestrator/secret-key`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyResponse {
    /// Names the key that is current now.
    pub key: String,
    /// Secrets that were locked again with it.
    pub relocked: u64,
}

/// Answer to `DELETE /orchestrator/secrets/{name}`: there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RemoveSecretResponse {}
