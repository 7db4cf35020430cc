//! The job as meant: checked, typed, and only made by [`validate`].

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Digest,
    download::Download,
    labels::{Labels, Requirement},
    manifest::Manifest,
    objects::Objects,
    ownership::Ownership,
    publication::Publication,
    resources::Resources,
    retry::Retry,
    rollout::Rollout,
    secret,
    validate::{self, Problems},
};

/// A job that passed every check. Serialises as the [`Manifest`] it came from and is checked again when read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Manifest", into = "Manifest")]
pub struct Spec {
    pub(crate) manifest: Manifest,
    pub(crate) kind: Kind,
    pub(crate) constraints: Vec<Requirement>,
    pub(crate) rollout: Rollout,
    pub(crate) retry: Retry,
    pub(crate) task: Task,
}

/// How many executions a job has, and what ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each of `count` partitions done once, on any node.
    Batch {
        /// Number of partitions; 0 means none.
        count: u32,
    },
    /// Once on every matching node.
    Ops,
    /// `count` kept running.
    Service {
        /// Number kept running; 0 stops all.
        count: u32,
    },
    /// One kept running on every matching node.
    Daemon,
}

impl Kind {
    /// Whether it has so many executions as it says, and not one on each matching node.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::Batch { .. } | Self::Service { .. })
    }

    /// Whether it is kept running until somebody stops it.
    pub fn is_kept_running(self) -> bool {
        matches!(self, Self::Service { .. } | Self::Daemon)
    }

    /// The word in job files: `batch`, `ops`, `service` or `daemon`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch { .. } => "batch",
            Self::Ops => "ops",
            Self::Service { .. } => "service",
            Self::Daemon => "daemon",
        }
    }
}

/// The one task of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// A label for people.
    pub name: String,
    /// The guest program.
    pub program: Program,
    /// Environment of the guest, in name order. A value `env:NAME` asks the node for one of its own variables.
    pub env: BTreeMap<String, String>,
    /// Secrets of the guest, in the order written; those that variables name come last.
    pub secrets: Vec<secret::Use>,
    /// What the guest gets to see, in the order written. The module itself is not among them.
    pub inputs: Vec<Input>,
    /// Directories collected when the guest is done.
    pub results: Vec<ResultPath>,
    /// Where they go.
    pub publisher: Publisher,
    /// What the task asks of a node, defaults applied.
    pub resources: Resources,
    /// What the guest may reach.
    pub network: Network,
    /// Where the guest may be called: addresses and ports of its node.
    pub ports: Vec<std::net::SocketAddr>,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// The guest program and how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where the module's bytes come from.
    pub module: Source,
    /// The exported function that is called. Default `_start`.
    pub entry_point: String,
    /// Arguments after the program's own name.
    pub arguments: Vec<String>,
    /// Guest paths of modules that it imports from, each under exactly this name. Each is an input, or lies in one.
    pub imports: Vec<String>,
}

/// One thing a guest gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Where it comes from.
    pub source: Source,
    /// Absolute, normalised guest path.
    pub target: String,
}

/// Where the content of an input or module comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path of the node, if its owner allow-listed it.
    HostPath(HostPath),
    /// Content held by the orchestrator, named by its digest.
    Artifact {
        /// What it contains.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
    },
    /// Content carried in the job itself.
    Inline(Vec<u8>),
    /// A directory carried in the job itself: a tar archive, compressed, that [`Archive`](crate::archive::Archive)
    /// unpacks.
    Archive(Vec<u8>),
    /// A file behind a URL, fetched by the node.
    Download(Download),
    /// Objects in a bucket, fetched by the node into one directory.
    Objects(Objects),
    /// An empty directory of the execution's own, gone with it.
    Scratch,
}

/// A path of the node as the job asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// As written; the node resolves it before it compares.
    pub path: String,
    /// The access asked for.
    pub mode: Mode,
    /// What to do when nothing is there.
    pub create: CreateAs,
    /// Mode and owner of what the guest makes there.
    pub ownership: Ownership,
}

/// Access to a mount. Ordered: `ReadWrite` includes `ReadOnly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mode {
    /// Nothing below the mount can be changed.
    #[serde(rename = "ro")]
    ReadOnly,
    /// Everything below the mount can be changed.
    #[serde(rename = "rw")]
    ReadWrite,
}

impl Mode {
    /// `ro` or `rw`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "ro",
            Self::ReadWrite => "rw",
        }
    }
}

/// What the node makes when a host path does not exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CreateAs {
    /// Nothing; the execution is refused.
    #[default]
    Nothing,
    /// A directory with its parents, mode 0700.
    Directory,
    /// An empty file with its parents.
    File,
}

/// A directory whose content is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultPath {
    /// Name in the results.
    pub name: String,
    /// Absolute guest path.
    pub path: String,
}

/// Where results go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Publisher {
    /// There is none.
    #[default]
    None,
    /// Nowhere: they are dropped with the execution.
    Noop,
    /// To the orchestrator, which serves them.
    Local,
    /// Into a bucket.
    Bucket(Publication),
}

/// What the guest may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Nothing; the default here, where Bacalhau's is everything.
    #[default]
    None,
    /// HTTP to these hosts.
    Http {
        /// Host names or addresses.
        domains: Vec<String>,
    },
    /// Any connection.
    Full,
}

/// How long things may take; none means without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// For one execution on its node.
    pub execution: Option<Duration>,
    /// For waiting until a node fits.
    pub queue: Option<Duration>,
    /// For the whole version of the job.
    pub total: Option<Duration>,
    /// Processor time of one execution.
    pub cpu: Option<Duration>,
}

impl Spec {
    /// The job as written, normalised.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The name; empty only before the requester has given the job its id as a name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// Where the name counts; never empty.
    pub fn namespace(&self) -> &str {
        &self.manifest.namespace
    }

    /// How many executions it has, and what ends it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Larger runs first.
    pub fn priority(&self) -> i64 {
        self.manifest.priority
    }

    /// Conditions on the labels of nodes; all must hold.
    pub fn constraints(&self) -> &[Requirement] {
        &self.constraints
    }

    /// How it spreads over the fleet.
    pub fn rollout(&self) -> &Rollout {
        &self.rollout
    }

    /// What is tried again.
    pub fn retry(&self) -> &Retry {
        &self.retry
    }

    /// For finding the job again.
    pub fn labels(&self) -> &Labels {
        &self.manifest.labels
    }

    /// What runs.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The same job under this name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.manifest.name);
        self
    }
}

impl TryFrom<Manifest> for Spec {
    type Error = Problems;

    fn try_from(manifest: Manifest) -> Result<Self, Problems> {
        validate::validate(manifest)
    }
}

impl From<Spec> for Manifest {
    fn from(spec: Spec) -> Self {
        spec.manifest
    }
}
