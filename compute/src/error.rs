//! Why a node cannot start, or go on.

use std::{io, path::PathBuf};

/// Why a node cannot start, or go on. What goes wrong with a single execution is reported to the orchestrator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data directory is another process's, or unusable.
    #[error(transparent)]
    DataDir(#[from] skrei_ledger::LockError),
    /// A folder of the data directory cannot be used.
    #[error("data directory `{}` cannot be used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The journal cannot be read or written: without it nothing may run.
    #[error("the node's journal cannot be used: {0}")]
    Journal(#[from] skrei_ledger::Error),
    /// The key that secrets are sealed to cannot be had.
    #[error("the node's sealing key: {0}")]
    SealingKey(#[from] skrei_vault::KeyError),
    /// The sandbox cannot be had on this host.
    #[error("the sandbox cannot be set up: {0}")]
    Runtime(#[from] skrei_runtime::Error),
    /// The guests' threads cannot be started.
    #[error("the guests' threads cannot be started")]
    Threads(#[source] io::Error),
    /// An orchestrator's address cannot be understood.
    #[error("orchestrator address `{address}` {message}")]
    Address {
        /// As configured.
        address: String,
        /// What is wrong with it.
        message: &'static str,
    },
    /// No orchestrator is configured.
    #[error("no orchestrator is configured; a node takes its work from one")]
    NoOrchestrator,
    /// A glob of the list of host variables cannot be understood.
    #[error("host variable pattern `{pattern}` {message}")]
    EnvAllowList {
        /// As configured.
        pattern: String,
        /// What is wrong with it.
        message: &'static str,
    },
    /// An entry of the list of hosts cannot be understood.
    #[error("host that jobs may reach: {0}")]
    NetworkDomains(#[source] skrei_runtime::network::HostPatternError),
    /// An entry of the list of ports cannot be understood.
    #[error("`{entry}` is nothing that guests may listen on")]
    NetworkPorts {
        /// As configured.
        entry: String,
    },
    /// An entry of the list of owners cannot be understood.
    #[error("allowed owner `{entry}` {message}")]
    AllowedOwners {
        /// As configured.
        entry: String,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The URL of a probe cannot be understood.
    #[error("probe `{url}` is no URL that begins with `http://` or `https://`")]
    ProbeUrl {
        /// As configured.
        url: String,
    },
    /// The node has no identity.
    #[error(transparent)]
    Join(#[from] crate::JoinError),
    /// An entry of the list of hosts that inputs are fetched from cannot be understood.
    #[error("hosts that inputs are fetched from: {0}")]
    FetchHosts(#[source] skrei_runtime::network::HostPatternError),
    /// The HTTP client for artifacts cannot be set up.
    #[error("the client for artifacts cannot be set up")]
    Client(#[source] reqwest::Error),
    /// A part of the node stopped that never should.
    #[error("the node's {0} stopped unexpectedly")]
    Stopped(&'static str),
}

impl Error {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::DataDir(_) => Some("give each node a data directory of its own with `--data-dir`"),
            Self::Address { .. } => Some("write `HOST:PORT`, for example `127.0.0.1:4222`"),
            Self::NoOrchestrator => Some("add `-c Compute.Orchestrators=HOST:4222`"),
            Self::EnvAllowList { .. } => Some("write names with `*` for any characters, for example `APP_*`"),
            Self::AllowedOwners { .. } => {
                Some("write users and groups of this host, for example `Compute.AllowedOwners=root:nginx`")
            }
            Self::NetworkDomains(_) => Some(
                "write hosts of `Compute.Network.Domains` as `api.example.org`, `*.example.org:443` or `10.0.0.0/8`",
            ),
            Self::NetworkPorts { .. } => Some(
                "write `Compute.Network.Ports` as `8080`, `8000-8100` or `127.0.0.1:8080`; `0.0.0.0:8080` is open to others",
            ),
            Self::ProbeUrl { .. } => Some("correct JobAdmissionControl.ProbeHTTP"),
            Self::Join(error) => error.hint(),
            _ => None,
        }
    }
}
