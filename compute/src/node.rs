//! What all executions of a node share.

use std::{path::PathBuf, sync::Arc};

use skrei_job::{NodeId, resources::Resources};
use skrei_protocol::link::NodeInfo;

use crate::{
    AllowList, Config, Limits, artifacts::Artifacts, environment::HostVariables, fetch, guests::Guests,
    journal::Journal, log_store::LogStore, modules::Modules, network::NetworkRules, owners::Owners,
    ports::PortRules, probes::Probes, publish::Publishing, secrets::Secrets, told::Board,
};

/// The engine type of jobs this node runs.
const ENGINE: &str = "wasm";

/// What all executions of a node share.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) capacity: Resources,
    pub(crate) allow_list: AllowList,
    pub(crate) host_variables: HostVariables,
    pub(crate) owners: Owners,
    pub(crate) reject_stateless: bool,
    pub(crate) probes: Probes,
    pub(crate) network: NetworkRules,
    pub(crate) ports: PortRules,
    pub(crate) limits: Limits,
    pub(crate) journal: Arc<Journal>,
    pub(crate) logs: LogStore,
    pub(crate) artifacts: Artifacts,
    pub(crate) modules: Modules,
    pub(crate) guests: Arc<Guests>,
    pub(crate) publishing: Publishing,
    /// What guests say of how far they are.
    pub(crate) told: Arc<Board>,
    pub(crate) secrets: Secrets,
    pub(crate) fetching: fetch::Rules,
    /// Where content carried in jobs is put while they run.
    pub(crate) inline_dir: PathBuf,
    /// Where scratch directories are made.
    pub(crate) scratch_dir: PathBuf,
    /// Where results are made.
    pub(crate) results_dir: PathBuf,
}

/// What a node says of itself when it calls.
pub(crate) fn info(config: &Config, sealing_key: String) -> NodeInfo {
    let mut sources = vec!["artifact".to_owned(), "inline".to_owned(), "scratch".to_owned()];
    if !config.allow_list.is_empty() {
        sources.extend(["local".to_owned(), "localDirectory".to_owned()]);
    }
    sources.extend(fetch::Rules::sources(config));
    let mut publishers = vec!["local".to_owned(), "noop".to_owned()];
    if fetch::Rules::has_bucket_for_results(config) {
        publishers.push("s3".to_owned());
    }
    NodeInfo {
        labels: config.labels.clone(),
        engines: vec![ENGINE.to_owned()],
        sources,
        publishers,
        capacity: config.capacity,
        sealing_key,
        judges: true,
    }
}
