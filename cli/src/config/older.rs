//! Names that older versions of Bacalhau had for settings, and settings of Bacalhau that mean nothing here
//! (reference cli-config-behaviour 1.8, 2.3, 2.4 and 2.6).

use super::key::{self, Key};

/// What became of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Now {
    /// It has another name.
    Key(&'static str),
    /// One value for two keys.
    Both(&'static str, &'static str),
    /// A list of roles, each a key of its own.
    Roles,
    /// It has no meaning here, and why.
    Nothing(&'static str),
    /// It cannot be done without, and is not understood here: why, and what to write instead.
    Refused(&'static str),
}

const NO_POLICIES: &str = "policies are not evaluated here: say who may do what with `API.Auth.Users`";
const NO_METHODS: &str = "callers show a key, a password or a token with each request (`API.Auth.Users`)";
const NO_CONTAINERS: &str = "there is no container engine here";
const NO_IPFS: &str = "IPFS is not supported";
const NOT_MEASURED: &str = "nothing is collected about its use";
const NO_UPDATES: &str = "it never looks for updates";
const NODES_ENCRYPTED: &str = "the link of nodes is always encrypted, by an authority of the orchestrator's own; where a node is \
    to know it beforehand, its Compute.TLS.CACert is `orchestrator/authority/ca.pem` below the orchestrator's DataDir";
const FIXED_PATHS: &str = "stores lie at fixed places below DataDir";
const NO_WEB_PAGE: &str = "there is no web page; `skrei job list` and `skrei node list` show what there is";
const NO_BROKER: &str = "there is no message broker; nodes connect to Orchestrator.Port";

/// Settings by their names in configuration files. A name that ends in a dot stands for everything below it.
const OLDER: &[(&str, Now)] = &[
    ("API.Auth.AccessPolicyPath", Now::Refused(NO_POLICIES)),
    ("Auth.AccessPolicyPath", Now::Refused(NO_POLICIES)),
    ("API.Auth.Methods", Now::Nothing(NO_METHODS)),
    ("Auth.Methods", Now::Nothing(NO_METHODS)),
    ("Node.Type", Now::Roles),
    ("Node.Name", Now::Nothing("a node's name is given once, with `serve --name`")),
    ("Node.NameProvider", Now::Nothing("a node's name is given once, with `serve --name`")),
    ("NameProvider", Now::Nothing("a node's name is given once, with `serve --name`")),
    ("Node.Labels", Now::Key("Labels")),
    ("Node.LoggingMode", Now::Key("Logging.Mode")),
    ("Node.ServerAPI.Host", Now::Key("API.Host")),
    ("Node.ServerAPI.Port", Now::Key("API.Port")),
    ("Node.ClientAPI.Host", Now::Key("API.Host")),
    ("Node.ClientAPI.Port", Now::Key("API.Port")),
    ("Node.ServerAPI.TLS.AutoCert", Now::Key("API.TLS.AutoCert")),
    ("Node.ServerAPI.TLS.AutoCertCachePath", Now::Key("API.TLS.AutoCertCachePath")),
    ("Node.ServerAPI.TLS.ServerCertificate", Now::Key("API.TLS.CertFile")),
    ("Node.ServerAPI.TLS.ServerKey", Now::Key("API.TLS.KeyFile")),
    ("Node.ServerAPI.TLS.SelfSigned", Now::Key("API.TLS.SelfSigned")),
    ("Node.ClientAPI.ClientTLS.UseTLS", Now::Key("API.TLS.UseTLS")),
    ("Node.ClientAPI.ClientTLS.CACert", Now::Key("API.TLS.CAFile")),
    ("Node.ClientAPI.ClientTLS.Insecure", Now::Key("API.TLS.Insecure")),
    ("Node.Network.Orchestrators", Now::Key("Compute.Orchestrators")),
    ("Node.Network.Port", Now::Key("Orchestrator.Port")),
    ("Node.Network.AuthSecret", Now::Both("Orchestrator.Auth.Token", "Compute.Auth.Token")),
    ("Node.Network.Cluster.", Now::Nothing(NO_BROKER)),
    ("Node.Network.AdvertisedAddress", Now::Nothing(NO_BROKER)),
    ("Node.Network.StoreDir", Now::Nothing(NO_BROKER)),
    ("Node.AllowListedLocalPaths", Now::Key("Compute.AllowListedLocalPaths")),
    ("Node.Compute.Capacity.TotalResourceLimits.CPU", Now::Key("Compute.AllocatedCapacity.CPU")),
    ("Node.Compute.Capacity.TotalResourceLimits.Memory", Now::Key("Compute.AllocatedCapacity.Memory")),
    ("Node.Compute.Capacity.TotalResourceLimits.Disk", Now::Key("Compute.AllocatedCapacity.Disk")),
    ("Node.Compute.Capacity.TotalResourceLimits.GPU", Now::Key("Compute.AllocatedCapacity.GPU")),
    ("Node.Compute.ControlPlaneSettings.HeartbeatFrequency", Now::Key("Compute.Heartbeat.Interval")),
    (
        "Node.Requester.ControlPlaneSettings.NodeDisconnectedAfter",
        Now::Key("Orchestrator.NodeManager.DisconnectTimeout"),
    ),
    ("Node.ComputeStoreDir", Now::Nothing(FIXED_PATHS)),
    ("Node.Requester.JobStore.", Now::Nothing(FIXED_PATHS)),
    ("Node.Compute.ExecutionStore.", Now::Nothing(FIXED_PATHS)),
    ("Node.IPFS.", Now::Nothing(NO_IPFS)),
    ("Update.", Now::Nothing(NO_UPDATES)),
    ("UpdateConfig.", Now::Nothing(NO_UPDATES)),
    ("User.", Now::Nothing(NOT_MEASURED)),
    ("DisableAnalytics", Now::Nothing(NOT_MEASURED)),
    ("WebUI.", Now::Nothing(NO_WEB_PAGE)),
    ("Node.WebUI.", Now::Nothing(NO_WEB_PAGE)),
    ("FeatureFlags.", Now::Nothing("there are no feature flags")),
    ("StrictVersionMatch", Now::Nothing("versions are checked when a node connects")),
    ("Engines.Types.Docker.", Now::Nothing(NO_CONTAINERS)),
    ("InputSources.Types.IPFS.", Now::Nothing(NO_IPFS)),
    ("Publishers.Types.IPFS.", Now::Nothing(NO_IPFS)),
    ("InputSources.MaxRetryCount", Now::Nothing("what may pass is tried three times")),
    ("Node.VolumeSizeRequestTimeout", Now::Key("InputSources.ReadTimeout")),
    ("Node.DownloadURLRequestTimeout", Now::Key("InputSources.ReadTimeout")),
    (
        "Node.Requester.StorageProvider.S3.PreSignedURLDisabled",
        Now::Key("Publishers.Types.S3.PreSignedURLDisabled"),
    ),
    (
        "Node.Requester.StorageProvider.S3.PreSignedURLExpiration",
        Now::Key("Publishers.Types.S3.PreSignedURLExpiration"),
    ),
    ("Publishers.Types.Local.", Now::Nothing("results are served by the orchestrator's API (API.PublicURL)")),
    (
        "Node.Compute.LocalPublisher.",
        Now::Nothing("results are served by the orchestrator's API (API.PublicURL)"),
    ),
    ("ResultDownloaders.Types.IPFS.", Now::Nothing(NO_IPFS)),
    ("Orchestrator.TLS.", Now::Nothing(NODES_ENCRYPTED)),
    ("Compute.TLS.RequireTLS", Now::Nothing(NODES_ENCRYPTED)),
    ("Orchestrator.Advertise", Now::Nothing(NO_BROKER)),
    ("Orchestrator.Cluster.", Now::Nothing(NO_BROKER)),
    ("Orchestrator.Scheduler.WorkerCount", Now::Nothing("one event loop decides everything")),
    ("Orchestrator.EvaluationBroker.", Now::Nothing("one event loop decides everything")),
    ("Compute.Heartbeat.ResourceUpdateInterval", Now::Nothing("every heartbeat tells what is free")),
    ("Compute.Heartbeat.InfoUpdateInterval", Now::Nothing("every heartbeat tells what is free")),
];

/// What became of the setting of this name, in any case. A setting whose key is not to be had yet is none.
pub(crate) fn find(name: &str) -> Option<Now> {
    let name = name.to_lowercase();
    let is_meant = |older: &str| {
        let older = older.to_lowercase();
        if older.ends_with('.') { name.starts_with(&older) } else { name == older }
    };
    OLDER.iter().find(|(older, _)| is_meant(older)).map(|(_, now)| *now).filter(|now| {
        let (Now::Key(name) | Now::Both(name, _)) = now else { return true };
        key::find(name).is_some()
    })
}

/// Whether settings stand below this name.
pub(crate) fn is_section(name: &str) -> bool {
    let prefix = format!("{}.", name.to_lowercase());
    OLDER.iter().any(|(older, _)| older.to_lowercase().starts_with(&prefix))
}

/// Names that a key had.
pub(crate) fn names_of(key: &Key) -> impl Iterator<Item = &'static str> {
    let name = key.name;
    OLDER.iter().filter_map(move |(older, now)| match now {
        Now::Key(key) if *key == name => Some(*older),
        Now::Both(one, other) if *one == name || *other == name => Some(*older),
        _ => None,
    })
}

/// The roles in a list such as `requester,compute`, as keys to switch on.
pub(crate) fn roles(text: &str) -> Result<Vec<&'static Key>, String> {
    let role = |word: &str| {
        let name = match word.trim().to_ascii_lowercase().as_str() {
            "requester" | "orchestrator" => "Orchestrator.Enabled",
            "compute" => "Compute.Enabled",
            _ => return Err(format!("`{word}` is neither `requester` nor `compute`")),
        };
        key::find(name).ok_or_else(|| format!("no key `{name}`"))
    };
    text.split(',').map(role).collect()
}
