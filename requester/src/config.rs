//! What an orchestrator is told at start.

use std::{path::PathBuf, sync::Arc, time::Duration};

use skrei_bucket::Access;
use skrei_job::{NodeId, defaults::JobDefaults};
use skrei_tls::{Served, ServerConfig};
use tokio::net::TcpListener;

use crate::{ArtifactLimits, ResultLimits, secrets::KeySource};

/// How long a node's certificate is valid unless set otherwise: 90 days. A node may be off for a month and come back.
pub const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(90 * 86_400);

/// Connections to the API at a time unless set otherwise. Each takes one of the files that the process may have open.
pub const CONNECTIONS: usize = 16_384;

/// Less silence than this is no sign of anything, whatever timeout is configured.
const SILENCE_MIN: Duration = Duration::from_millis(20);

/// Settings of an orchestrator.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its id; shown as the orchestrator of every job.
    pub node: NodeId,
    /// Its own directory: database and artifacts. Made if missing.
    pub data_dir: PathBuf,
    /// A node that was silent for this long is given up, and so is what it ran
    /// (`Orchestrator.NodeManager.DisconnectTimeout`).
    pub disconnect_timeout: Duration,
    /// A word that nodes join with beside the tokens made here (`Orchestrator.Auth.Token`).
    pub token: Option<String>,
    /// Bounds on results.
    pub results: ResultLimits,
    /// Bounds on artifacts.
    pub artifacts: ArtifactLimits,
    /// Where clients reach the API, such as `https://skrei.example.com`; none takes what each of them called it by
    /// (`API.PublicURL`).
    pub public_url: Option<String>,
    /// Origins of the web pages that may call the API from a browser, beside its own; `*` is all
    /// (`API.CORS.AllowedOrigins`). None by default.
    pub allowed_origins: Vec<String>,
    /// What jobs get for what they do not say (`JobDefaults`). Nothing by default.
    pub job_defaults: JobDefaults,
    /// What is kept of jobs that ended.
    pub keep: Keep,
    /// Whether a node that joins gets work only once somebody approves it (`Orchestrator.NodeManager.ManualApproval`).
    pub manual_approval: bool,
    /// How long a node's certificate is valid; nodes renew theirs after two thirds of it. [`CERTIFICATE_LIFETIME`].
    pub certificate_lifetime: Duration,
    /// How many may follow at once.
    pub follow: FollowLimits,
    /// Connections to the API at a time; who comes then waits, and one client has a quarter of them at most.
    /// [`CONNECTIONS`].
    pub connections: usize,
    /// Where the keys of secrets come from. A file is best kept apart from `data_dir`: together they give the secrets.
    pub secret_keys: KeySource,
    /// Buckets whose results clients may fetch with signed URLs.
    pub buckets: Access,
    /// How long such a URL is good for; none are signed without (`Publishers.Types.S3.PreSignedURLExpiration`).
    pub signed_for: Option<Duration>,
    /// The configuration in force, secrets masked, for `GET /agent/config`.
    pub settings: serde_json::Value,
    /// Who may call the API, and how.
    pub callers: Callers,
}

/// Who may call the API, and how. The default asks nobody anything, which suits a process of one's own alone.
#[derive(Clone, Debug)]
pub struct Callers {
    /// Who may do what.
    pub access: Arc<skrei_access::Access>,
    /// Requests a second that a client on another machine may make over a while (`API.RateLimit.Requests`); 0 for any
    /// number.
    pub requests_per_second: u32,
    /// Where nobody is asked who they are: the names, beside addresses and `localhost`, that the API may be called by, so
    /// that no name a stranger controls leads a browser here. None: any.
    pub names: Option<Vec<String>>,
    /// Browsers are told to call the public names of this certificate by HTTPS alone, which they believe for a year.
    pub https_only: Option<Arc<Served>>,
    /// How long it is kept who changed what (`API.Audit.Retention`).
    pub audit_kept: Duration,
}

/// A quarter of a year.
const AUDIT_KEPT: Duration = Duration::from_secs(90 * 86_400);

impl Default for Callers {
    fn default() -> Self {
        Self {
            access: Arc::new(skrei_access::Access::open()),
            requests_per_second: 0,
            names: None,
            https_only: None,
            audit_kept: AUDIT_KEPT,
        }
    }
}

impl Config {
    /// An orchestrator with the defaults for everything else.
    pub fn new(node: NodeId, data_dir: impl Into<PathBuf>) -> Self {
        let data_dir = data_dir.into();
        Self {
            node,
            secret_keys: KeySource::File(data_dir.join("secret-keys")),
            data_dir,
            disconnect_timeout: Duration::from_secs(60),
            token: None,
            manual_approval: false,
            certificate_lifetime: CERTIFICATE_LIFETIME,
            results: ResultLimits::default(),
            artifacts: ArtifactLimits::default(),
            public_url: None,
            buckets: Access::default(),
            signed_for: None,
            allowed_origins: Vec::new(),
            callers: Callers::default(),
            job_defaults: JobDefaults::default(),
            keep: Keep::default(),
            follow: FollowLimits::default(),
            connections: CONNECTIONS,
            settings: serde_json::Value::Object(serde_json::Map::new()),
        }
    }

    /// A node's link may be silent for so long before it counts as broken. Half of the timeout, so that together
    /// with the grace that follows ([`Config::grace`]) a silent node is given up after the whole of it.
    pub(crate) fn silence_max(&self) -> Duration {
        (self.disconnect_timeout / 2).max(SILENCE_MIN)
    }

    /// A node whose link broke may stay away for so long before it is given up.
    pub(crate) fn grace(&self) -> Duration {
        self.disconnect_timeout / 2
    }
}

/// How many may follow at once; more are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowLimits {
    /// Streams of events. Default 1,024.
    pub events: usize,
    /// Logs, each of which may hold a page of 64 KiB in memory. Default 512.
    pub logs: usize,
}

impl Default for FollowLimits {
    fn default() -> Self {
        Self { events: 1024, logs: 512 }
    }
}

/// What is kept of jobs that ended. A job that goes on is never removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// So many, those that ended last; none is no bound (`Orchestrator.Housekeeping.KeepJobs`).
    pub jobs: Option<u64>,
    /// Those that ended no longer ago; none is no bound (`Orchestrator.Housekeeping.KeepFor`).
    pub age: Option<Duration>,
}

/// The two ports of an orchestrator, bound by the caller.
#[derive(Debug)]
pub struct Listeners {
    /// For people and programs.
    pub api: TcpListener,
    /// Encrypts the API; plain HTTP without.
    pub api_tls: Option<Arc<ServerConfig>>,
    /// For compute nodes.
    pub nodes: TcpListener,
}
