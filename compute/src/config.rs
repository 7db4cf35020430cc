//! What a node is started with.

use std::{path::PathBuf, time::Duration};

use skrei_bucket::Access;
use skrei_job::{NodeId, labels::Labels, resources::Resources};
use skrei_runtime::CompilerProcess;

use crate::{AllowList, NetworkAllowed, Sandboxes};

/// What a node is started with. [`Config::new`] allows jobs nothing of the host.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its id, the same over restarts.
    pub node: NodeId,
    /// A folder of its own for journal, artifacts and logs; made and locked by [`serve`](crate::serve()).
    pub data_dir: PathBuf,
    /// Orchestrators to call, in turn until one answers: `HOST[:PORT]`, port 4222 if there is none. A scheme such as
    /// `nats://` or `https://` before it is tolerated.
    pub orchestrators: Vec<String>,
    /// What the node joins with: a token of the orchestrator's making, or a word that both were configured with. Used
    /// once; a node of the orchestrator's own machine and user needs none.
    pub token: Option<String>,
    /// The orchestrator's authority, PEM, where it is to be known before anything else. The node believes no other.
    pub ca_file: Option<PathBuf>,
    /// What the node is known by to the constraints of jobs.
    pub labels: Labels,
    /// What the node shares out in all.
    pub capacity: Resources,
    /// Which host paths jobs may have. Nothing by default.
    pub allow_list: AllowList,
    /// Which of the host's variables jobs may have with `env:NAME`: globs over whole names. Nothing by default.
    pub env_allow_list: Vec<String>,
    /// To whom jobs may give the files they make: `USER[:GROUP]`, names or numbers. The node's own user and group
    /// always; nobody else by default.
    pub allowed_owners: Vec<String>,
    /// What of the network jobs may ask for. Nothing by default.
    pub network_allowed: NetworkAllowed,
    /// Hosts that jobs may reach with a network of type HTTP; see [`HostPattern`](skrei_runtime::HostPattern).
    /// None by default.
    pub network_domains: Vec<String>,
    /// Where guests may listen: `[ADDRESS:]PORT[-PORT]`. Nowhere by default.
    pub network_ports: Vec<String>,
    /// Hosts from which inputs are fetched; see [`HostPattern`](skrei_runtime::HostPattern). Any that is public by default.
    pub fetch_hosts: Vec<String>,
    /// Types of input sources that are switched off. None by default.
    pub disabled_sources: Vec<String>,
    /// Which buckets jobs may use with the node's credentials. None by default.
    pub buckets: Access,
    /// Whether jobs are refused that come with no input but their module.
    pub reject_stateless: bool,
    /// A command that is asked about every job: `bash -c` with the job on its standard input. Any exit code but 0 refuses
    /// it, with what it says on standard error.
    pub probe_exec: Option<String>,
    /// A URL that is asked about every job, by POST of `{"Job": …}`. A status of 400 or more refuses it, and so does the
    /// JSON answer `{"ShouldBid": false, "Reason": "…"}`.
    pub probe_http: Option<String>,
    /// How often the node says that it lives. Default 5 s.
    pub heartbeat: Duration,
    /// Who compiles large modules, so that a hostile one costs no more than it may. Default: the node itself.
    pub compiler: Option<CompilerProcess>,
    /// Files, directories and connections that its guests may have open, all together; the next one is `ENFILE`. Default:
    /// half of what the process may open. Several nodes of one process, each with sandboxes of its own, have to divide that.
    pub open_files_max: Option<u32>,
    /// What guests run on, where several nodes of one process share it; `compiler` and `open_files_max` are then set there. Default: the node's
    /// own, which keeps compiled code below `data_dir`.
    pub sandboxes: Option<Sandboxes>,
    /// Bounds that seldom need changing.
    pub limits: Limits,
}

impl Config {
    /// A node that shares out `capacity` and allows nothing of the host. It calls no orchestrator yet.
    pub fn new(node: NodeId, data_dir: impl Into<PathBuf>, capacity: Resources) -> Self {
        Self {
            node,
            data_dir: data_dir.into(),
            orchestrators: Vec::new(),
            token: None,
            ca_file: None,
            labels: Labels::new(),
            capacity,
            allow_list: AllowList::default(),
            env_allow_list: Vec::new(),
            allowed_owners: Vec::new(),
            network_allowed: NetworkAllowed::None,
            network_domains: Vec::new(),
            network_ports: Vec::new(),
            fetch_hosts: vec!["*".to_owned()],
            disabled_sources: Vec::new(),
            buckets: Access::default(),
            reject_stateless: false,
            probe_exec: None,
            probe_http: None,
            heartbeat: Duration::from_secs(5),
            compiler: None,
            open_files_max: None,
            sandboxes: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Output kept of one execution, both streams together, in bytes. Default 1 MiB; more is counted and dropped.
    pub log_bytes: usize,
    /// Output kept of all executions that ended, together, in bytes. Default 1 GiB; the oldest goes first.
    pub logs_bytes: u64,
    /// How long output is kept after its execution ended. Default 7 days; none is for ever.
    pub logs_age: Option<Duration>,
    /// Executions that may wait for room. Default 1,024; more are refused.
    pub waiting: usize,
    /// How long fetching one input may take. Default 5 min.
    pub fetch: Duration,
    /// The largest input fetched from somewhere else, in bytes; of several objects, all together. Default 1 GiB.
    pub fetch_bytes: u64,
    /// The largest artifact fetched, in bytes. Default 256 MiB.
    pub artifact_bytes: u64,
    /// Artifacts kept, in bytes, those used last staying. Default 4 GiB.
    pub artifacts_bytes: u64,
    /// What a run may add to the disk if its job does not ask for an amount, in bytes. Default 1 GiB. Up to the
    /// node's capacity a job may ask for any.
    pub disk_bytes: u64,
    /// Files, directories and links a run may make. Default 100,000.
    pub disk_files: u64,
    /// The largest archive of an execution's results, in bytes, compressed. Default 1 GiB.
    pub result_bytes: u64,
    /// Archives of results that wait to be handed over, in bytes. Default 8 GiB; what finds no room fails.
    pub outbox_bytes: u64,
    /// How long running guests may go on when the node is stopped. Default 30 s; then they are interrupted.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            log_bytes: 1 << 20,
            logs_bytes: 1 << 30,
            logs_age: Some(Duration::from_secs(7 * 24 * 60 * 60)),
            waiting: 1024,
            fetch: Duration::from_secs(300),
            fetch_bytes: 1 << 30,
            artifact_bytes: 256 << 20,
            artifacts_bytes: 4 << 30,
            disk_bytes: 1 << 30,
            disk_files: 100_000,
            result_bytes: 1 << 30,
            outbox_bytes: 8 << 30,
            drain: Duration::from_secs(30),
        }
    }
}
