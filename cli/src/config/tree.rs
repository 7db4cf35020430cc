//! The configuration as the program uses it.

use std::{path::PathBuf, time::Duration};

use skrei_bucket::Access;
use skrei_compute::NetworkAllowed;
use skrei_job::{defaults::JobDefaults, labels::Labels};

use super::{
    callers::{Callers, Shown},
    get::Get,
    job_defaults::job_defaults,
    layers::Layers,
    share::Share,
    storage,
    tls::Tls,
};
use crate::error::Error;

/// Everything that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// Absolute.
    pub(crate) data_dir: PathBuf,
    /// Of this node.
    pub(crate) labels: Labels,
    /// How servers log.
    pub(crate) logging: Logging,
    /// Where the API is.
    pub(crate) api: Address,
    /// The URL clients are told, if it is another than each of them calls.
    pub(crate) public_url: Option<String>,
    /// Which buckets may be used, and how.
    pub(crate) buckets: Access,
    /// How long a signed URL is good for; none are signed without.
    pub(crate) signed_for: Option<Duration>,
    /// How the API is encrypted.
    pub(crate) tls: Tls,
    /// Who may call the API.
    pub(crate) callers: Callers,
    /// What commands show.
    pub(crate) shown: Shown,
    /// The orchestrator's side.
    pub(crate) orchestrator: Orchestrator,
    /// The node's side.
    pub(crate) compute: Compute,
}

/// How servers log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Logging {
    /// A level's name.
    pub(crate) level: String,
    /// The form of lines.
    pub(crate) mode: LoggingMode,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoggingMode {
    /// For people.
    Default,
    /// One object a line.
    Json,
    /// The message alone.
    Message,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A name or an address.
    pub(crate) host: String,
    /// 0 lets the system choose.
    pub(crate) port: u16,
}

/// The orchestrator's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Orchestrator {
    /// Whether to be one.
    pub(crate) enabled: bool,
    /// Where nodes connect to.
    pub(crate) listen: Address,
    /// What nodes may join with.
    pub(crate) token: Option<String>,
    /// Whether a node that joins waits for approval.
    pub(crate) manual_approval: bool,
    /// When a silent node is lost.
    pub(crate) disconnect_timeout: Duration,
    /// How many jobs that ended are kept; none is no bound.
    pub(crate) keep_jobs: Option<u64>,
    /// How long jobs that ended are kept; none is no bound.
    pub(crate) keep_for: Option<Duration>,
    /// The keys of secrets; none: from outside, or below the data directory.
    pub(crate) secret_keys: Option<PathBuf>,
    /// What is kept of jobs that have ended.
    pub(crate) keeping: Keeping,
    /// What jobs get for what they do not say.
    pub(crate) job_defaults: JobDefaults,
}

/// What is kept of jobs that have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keeping {
    /// Of all results.
    pub(crate) results_bytes: u64,
    /// Each result.
    pub(crate) results_for: Duration,
    /// Of all artifacts.
    pub(crate) artifacts_bytes: u64,
    /// Each artifact.
    pub(crate) artifacts_for: Duration,
}

/// The node's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compute {
    /// Whether to be one.
    pub(crate) enabled: bool,
    /// `HOST:PORT`.
    pub(crate) orchestrators: Vec<String>,
    /// What to join with.
    pub(crate) token: Option<String>,
    /// The orchestrator's authority.
    pub(crate) ca_file: Option<PathBuf>,
    /// How often to say that it is there.
    pub(crate) heartbeat: Duration,
    /// Entries as written.
    pub(crate) allow_list: Vec<String>,
    /// Names and patterns.
    pub(crate) env_allow_list: Vec<String>,
    /// `USER[:GROUP]`.
    pub(crate) allowed_owners: Vec<String>,
    /// Where inputs are fetched from.
    pub(crate) fetch_hosts: Vec<String>,
    /// What is not fetched at all.
    pub(crate) disabled_sources: Vec<String>,
    /// How long fetching one input may take.
    pub(crate) fetch_timeout: Duration,
    /// The largest input that is fetched.
    pub(crate) fetch_bytes: u64,
    /// The most of the network that jobs may ask for.
    pub(crate) network_allowed: NetworkAllowed,
    /// Hosts they may reach.
    pub(crate) network_domains: Vec<String>,
    /// Where they may listen.
    pub(crate) network_ports: Vec<String>,
    /// Whether jobs without inputs are refused.
    pub(crate) reject_stateless: bool,
    /// What is asked about every job: a command.
    pub(crate) probe_exec: Option<String>,
    /// What is asked about every job: a URL.
    pub(crate) probe_http: Option<String>,
    /// What jobs get.
    pub(crate) capacity: Capacity,
    /// What is kept of what guests print.
    pub(crate) logs: Logs,
}

/// What is kept of what guests print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Logs {
    /// For how long; none is no bound.
    pub(crate) keep_for: Option<Duration>,
    /// Bytes.
    pub(crate) per_execution: u64,
    /// Bytes.
    pub(crate) total: u64,
}

/// What jobs get: each a share or an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capacity {
    /// Percent, or thousandths of a core.
    pub(crate) cpu: Share,
    /// Percent, or bytes.
    pub(crate) memory: Share,
    /// Percent, or bytes.
    pub(crate) disk: Share,
    /// Percent, or pieces.
    pub(crate) gpu: Share,
}

impl Config {
    /// Makes the tree from what the sources say.
    pub(super) fn new(layers: &Layers) -> Result<Self, Error> {
        let get = Get::new(layers);
        let mode = match get.text("Logging.Mode")?.as_str() {
            "json" => LoggingMode::Json,
            "cmd" => LoggingMode::Message,
            _ => LoggingMode::Default,
        };
        let token = |token: String| (!token.is_empty()).then_some(token);
        let span = |span: Duration| (!span.is_zero()).then_some(span);
        Ok(Self {
            data_dir: get.path("DataDir")?,
            labels: get.map("Labels")?,
            logging: Logging { level: get.text("Logging.Level")?, mode },
            api: Address { host: get.text("API.Host")?, port: get.port("API.Port")? },
            public_url: storage::public_url(&get)?,
            buckets: storage::buckets(&get)?,
            signed_for: storage::signed_for(&get)?,
            tls: Tls::new(&get)?,
            callers: Callers::new(&get)?,
            shown: Shown::new(&get)?,
            orchestrator: Orchestrator {
                enabled: get.boolean("Orchestrator.Enabled")?,
                listen: Address {
                    host: get.text("Orchestrator.Host")?,
                    port: get.port("Orchestrator.Port")?,
                },
                token: token(get.text("Orchestrator.Auth.Token")?),
                manual_approval: get.boolean("Orchestrator.NodeManager.ManualApproval")?,
                disconnect_timeout: get.duration("Orchestrator.NodeManager.DisconnectTimeout")?,
                keep_jobs: Some(get.amount("Orchestrator.Housekeeping.KeepJobs")?).filter(|jobs| *jobs > 0),
                keep_for: span(get.duration("Orchestrator.Housekeeping.KeepFor")?),
                secret_keys: get.file("Orchestrator.Secrets.KeyFile")?,
                keeping: Keeping {
                    results_bytes: get.amount("Orchestrator.Results.MaxBytes")?,
                    results_for: get.duration("Orchestrator.Results.Keep")?,
                    artifacts_bytes: get.amount("Orchestrator.Artifacts.MaxBytes")?,
                    artifacts_for: get.duration("Orchestrator.Artifacts.Keep")?,
                },
                job_defaults: job_defaults(&get)?,
            },
            compute: Compute {
                enabled: get.boolean("Compute.Enabled")?,
                orchestrators: get.list("Compute.Orchestrators")?,
                token: token(get.text("Compute.Auth.Token")?),
                ca_file: get.file("Compute.TLS.CACert")?,
                heartbeat: get.duration("Compute.Heartbeat.Interval")?,
                allow_list: get.list("Compute.AllowListedLocalPaths")?,
                env_allow_list: get.list("Compute.Env.AllowList")?,
                allowed_owners: get.list("Compute.AllowedOwners")?,
                fetch_hosts: get.list("InputSources.Hosts")?,
                disabled_sources: get.list("InputSources.Disabled")?,
                fetch_timeout: get.duration("InputSources.ReadTimeout")?,
                fetch_bytes: get.amount("InputSources.MaxBytes")?,
                network_allowed: network_allowed(&get)?,
                network_domains: get.list("Compute.Network.Domains")?,
                network_ports: network_ports(&get)?,
                reject_stateless: get.boolean("JobAdmissionControl.RejectStatelessJobs")?,
                probe_exec: token(get.text("JobAdmissionControl.ProbeExec")?),
                probe_http: token(get.text("JobAdmissionControl.ProbeHTTP")?),
                capacity: Capacity {
                    cpu: get.share("Compute.AllocatedCapacity.CPU")?,
                    memory: get.share("Compute.AllocatedCapacity.Memory")?,
                    disk: get.share("Compute.AllocatedCapacity.Disk")?,
                    gpu: get.share("Compute.AllocatedCapacity.GPU")?,
                },
                logs: Logs {
                    keep_for: span(get.duration("Compute.Logs.KeepFor")?),
                    per_execution: get.amount("Compute.Logs.PerExecution")?,
                    total: get.amount("Compute.Logs.Total")?,
                },
            },
        })
    }

    /// The URL at which commands find the API.
    pub(crate) fn endpoint(&self) -> String {
        let Address { host, port } = &self.api;
        if host.contains("://") {
            return host.clone();
        }
        let host = match host.as_str() {
            "" | "0.0.0.0" | "::" | "[::]" => "127.0.0.1".to_owned(),
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            host => host.to_owned(),
        };
        let scheme = if self.tls.used { "https" } else { "http" };
        format!("{scheme}://{host}:{port}")
    }
}

fn network_ports(get: &Get<'_>) -> Result<Vec<String>, Error> {
    if get.boolean("JobAdmissionControl.RejectNetworkedJobs")? {
        return Ok(Vec::new());
    }
    get.list("Compute.Network.Ports")
}

fn network_allowed(get: &Get<'_>) -> Result<NetworkAllowed, Error> {
    if get.boolean("JobAdmissionControl.RejectNetworkedJobs")? {
        return Ok(NetworkAllowed::None);
    }
    Ok(match get.text("Compute.Network.Allow")?.as_str() {
        "full" => NetworkAllowed::Full,
        "http" => NetworkAllowed::Http,
        _ => NetworkAllowed::None,
    })
}
