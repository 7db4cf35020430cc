//! How an execution ended, in the words the node reports and the history keeps.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Digest, objects::Bucket, told::Values};

/// How many bytes of each output stream travel with the outcome; the rest stays in the node's log store.
pub const OUTPUT_HEAD_BYTES: usize = 2048;

/// What a run left: the first part of what the guest printed, its exit code, and where its results are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    /// First [`OUTPUT_HEAD_BYTES`] of standard output, invalid UTF-8 replaced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stdout: String,
    /// Whether there was more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stdout_truncated: bool,
    /// First [`OUTPUT_HEAD_BYTES`] of standard error, invalid UTF-8 replaced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stderr: String,
    /// Whether there was more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stderr_truncated: bool,
    /// What the guest exited with; a normal return is 0. None if it never got to exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// What the guest wanted of the network and did not get: the first [`DENIALS_MAX`] different things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denials: Vec<Denial>,
    /// Where the results are. None if the job has no publisher, or the guest never got to exit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Published>,
    /// What the guest told of what it found.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub values: Values,
}

/// How many denials travel with the outcome.
pub const DENIALS_MAX: usize = 8;

/// Something a guest wanted of the network and was denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// The rule that denied it, a word such as `not-listed`.
    pub rule: String,
    /// For people: names host, port and why.
    pub message: String,
}

/// Where the results of a run are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Published {
    /// With the orchestrator, which serves them: one archive.
    Orchestrator {
        /// Of the archive.
        digest: Digest,
        /// Of the archive.
        bytes: u64,
    },
    /// In a bucket.
    Bucket {
        /// Which.
        bucket: Bucket,
        /// The archive, or with a `/` at its end what the keys of all files begin with.
        key: String,
        /// Of the archive, if it is one.
        digest: Option<Digest>,
        /// Of the archive, if the bucket keeps versions.
        version: Option<String>,
    },
}

impl RunOutput {
    /// Cuts the head out of what was captured of both streams.
    pub fn head(stdout: &[u8], stderr: &[u8], exit_code: Option<i32>) -> Self {
        let head = |bytes: &[u8]| {
            let cut = bytes.len().min(OUTPUT_HEAD_BYTES);
            (String::from_utf8_lossy(&bytes[..cut]).into_owned(), bytes.len() > cut)
        };
        let (stdout, stdout_truncated) = head(stdout);
        let (stderr, stderr_truncated) = head(stderr);
        Self { stdout, stdout_truncated, stderr, stderr_truncated, exit_code, ..Self::default() }
    }

    /// The same with what the guest told.
    #[must_use]
    pub fn with(self, values: Values) -> Self {
        Self { values, ..self }
    }
}

/// Why an execution failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of cause; decides whether trying again makes sense.
    pub cause: Cause,
    /// For people: names the thing.
    pub message: String,
    /// The way out, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the guest printed before, and its exit code.
    #[serde(default)]
    pub output: RunOutput,
}

/// Kinds of cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The guest exited with a code other than 0.
    Exited,
    /// The guest trapped.
    Trapped,
    /// The guest ran into its memory limit, or another limit but time.
    Limit,
    /// The guest ran out of time.
    Timeout,
    /// The module or an input could not be made ready. Permanent: the same again would fail again.
    NotPrepared,
    /// The guest ended by itself, and its results could not be published. Permanent: what it did is done.
    NotPublished,
    /// The node stopped while the guest ran.
    Interrupted,
    /// The node was not heard from for too long.
    NodeLost,
}

impl Cause {
    /// Whether the same execution elsewhere or later could end otherwise.
    pub fn is_permanent(self) -> bool {
        matches!(self, Self::NotPrepared | Self::NotPublished)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Why a node would not run an execution. Nothing ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The rule that refused.
    pub rule: Rule,
    /// For people: names path, mode, entries tried, and so on.
    pub message: String,
    /// The way out, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Rules by which a node refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rule {
    /// `Compute.AllowListedLocalPaths`: the path, or its mode, is on no entry.
    AllowList,
    /// The execution asks for more than the node shares out.
    Capacity,
    /// The node does not have this engine, source or publisher.
    Unsupported,
    /// `Compute.Env.AllowList`: the host variable is not allowed or not set.
    Environment,
    /// The host path does not exist, and the job does not ask to create it.
    MissingPath,
    /// `Compute.AllowedOwners`: files may not be given to this owner, or nobody is called so.
    Owner,
    /// `Compute.Network`: the network asked for, or a host, is not allowed.
    Network,
    /// A secret of the job: it is not granted, not for this node, gone, or cannot be used as the job says.
    Secret,
    /// `JobAdmissionControl.RejectStatelessJobs`: the job works on nothing.
    Stateless,
    /// `JobAdmissionControl.ProbeExec` or `ProbeHTTP` says no.
    Probe,
    /// The node is shutting down.
    Draining,
}

impl Rule {
    /// A word for tables and grouping.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowList => "allow-list",
            Self::Capacity => "capacity",
            Self::Unsupported => "unsupported",
            Self::Environment => "environment",
            Self::MissingPath => "missing-path",
            Self::Owner => "owner",
            Self::Network => "network",
            Self::Secret => "secret",
            Self::Stateless => "stateless",
            Self::Probe => "probe",
            Self::Draining => "draining",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
