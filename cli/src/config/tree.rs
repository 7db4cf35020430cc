//! The configuration as the program uses it.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use skrei_access::WrittenUser;
use skrei_bucket::{Access, Keys};
use skrei_compute::NetworkAllowed;
use skrei_job::labels::Labels;
use skrei_tls::{Challenge, ExternalAccount, PairFiles, Trust};

use super::{
    callers::{Callers, Shown},
    layers::Layers,
    value::Value,
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

/// How the API is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// What it is served with.
    pub(crate) server: ServerTls,
    /// Whether commands use it.
    pub(crate) used: bool,
    /// Whom commands trust.
    pub(crate) trust: Trust,
}

/// What the API is served with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerTls {
    /// Plain HTTP.
    Plain,
    /// A certificate and its key.
    Files(PairFiles),
    /// A certificate of the local authority.
    SelfSigned,
    /// A certificate ordered by ACME.
    AutoCert(AutoCert),
}

/// What is ordered by ACME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AutoCert {
    /// DNS names.
    pub(crate) names: Vec<String>,
    /// URL.
    pub(crate) directory: String,
    /// Who vouches for the directory.
    pub(crate) directory_ca: Option<PathBuf>,
    /// Where the authority may write to.
    pub(crate) email: Option<String>,
    /// The authority's word.
    pub(crate) profile: Option<String>,
    /// An account opened by other means.
    pub(crate) external_account: Option<ExternalAccount>,
    /// None: by what can be bound.
    pub(crate) challenge: Option<Challenge>,
    /// For `http-01`.
    pub(crate) http_port: u16,
    /// None: below the data directory.
    pub(crate) cache: Option<PathBuf>,
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

/// A share of what there is, or an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// From 0 to 100.
    Percent(u8),
    /// In the unit of the thing.
    Amount(u64),
}

impl Share {
    /// The amount, where there is `total`.
    pub(crate) fn of(self, total: u64) -> u64 {
        match self {
            Self::Percent(percent) => {
                (u128::from(total) * u128::from(percent) / 100).try_into().unwrap_or(total)
            }
            Self::Amount(amount) => amount,
        }
    }
}

impl Config {
    /// Makes the tree from what the sources say.
    pub(super) fn new(layers: &Layers) -> Result<Self, Error> {
        let get = Get(layers);
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
            public_url: public_url(&get)?,
            buckets: buckets(&get)?,
            signed_for: signed_for(&get)?,
            tls: tls(&get)?,
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
            },
            compute: Compute {
                enabled: get.boolean("Compute.Enabled")?,
                orchestrators: get.list("Compute.Orchestrators")?,
                token: token(get.text("Compute.Auth.Token")?),
                ca_file: Some(get.path("Compute.TLS.CACert")?).filter(|path| !path.as_os_str().is_empty()),
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

/// A week: Amazon signs for no longer.
const SIGNED_FOR_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn signed_for(get: &Get<'_>) -> Result<Option<Duration>, Error> {
    let key = "Publishers.Types.S3.PreSignedURLExpiration";
    let expiration = get.duration(key)?;
    if expiration.is_zero() || expiration > SIGNED_FOR_MAX {
        return Err(Error::usage(format!("{key}: signed URLs are good for up to a week")).hint("write `30m`"));
    }
    let is_on = !get.boolean("Publishers.Types.S3.PreSignedURLDisabled")?;
    Ok(is_on.then_some(expiration))
}

fn buckets(get: &Get<'_>) -> Result<Access, Error> {
    let text = |key: &str| get.text(key).map(|text| Some(text).filter(|text| !text.is_empty()));
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let rule = |text: &String| text.parse().map_err(|wrong| Error::usage(format!("S3.Buckets: {wrong}")));
    let keys = match (text("S3.AccessKeyID")?, text("S3.SecretAccessKey")?) {
        (Some(id), Some(secret)) => Some(Keys { id, secret: secret.into(), session: None }),
        (None, None) => {
            variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY")).map(|(id, secret)| Keys {
                id,
                secret: secret.into(),
                session: variable("AWS_SESSION_TOKEN").map(Into::into),
            })
        }
        _ => {
            return Err(Error::usage("one half of the credentials for S3 is given, and the other is not")
                .hint("set both `S3.AccessKeyID` and `S3.SecretAccessKey`"));
        }
    };
    Ok(Access {
        endpoint: text("S3.Endpoint")?,
        region: text("S3.Region")?,
        buckets: get.list("S3.Buckets")?.iter().map(rule).collect::<Result<_, _>>()?,
        keys,
    })
}

fn public_url(get: &Get<'_>) -> Result<Option<String>, Error> {
    let text = get.text("API.PublicURL")?;
    let is_url = |text: &str| {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        (!host.is_empty() && !host.contains(['?', '#', '@']) && !host.contains(char::is_whitespace))
            .then_some(())
    };
    match is_url(&text) {
        _ if text.is_empty() => Ok(None),
        Some(()) => Ok(Some(text)),
        None => Err(Error::usage(format!("API.PublicURL: `{text}` is not a URL of a server"))
            .hint("write `https://HOST` or `https://HOST:PORT`")),
    }
}

fn tls(get: &Get<'_>) -> Result<Tls, Error> {
    let self_signed = get.boolean("API.TLS.SelfSigned")?;
    let names = get.list("API.TLS.AutoCert")?;
    let is_file_given = get.file("API.TLS.CertFile")?.is_some() || get.file("API.TLS.KeyFile")?.is_some();
    if !names.is_empty() && (self_signed || is_file_given) {
        return Err(Error::usage(
            "the API is served with one certificate: ordered, of files, or self-signed",
        )
        .hint("leave out --autocert, or --tlscert and --tlskey, or --self-signed"));
    }
    let server = match (get.file("API.TLS.CertFile")?, get.file("API.TLS.KeyFile")?, self_signed) {
        (None, None, false) if !names.is_empty() => ServerTls::AutoCert(auto_cert(get, names)?),
        (None, None, false) => ServerTls::Plain,
        (None, None, true) => ServerTls::SelfSigned,
        (Some(certificate), Some(key), false) => ServerTls::Files(PairFiles { certificate, key }),
        (Some(_), Some(_), true) => {
            return Err(Error::usage("the API is served with certificate files, or self-signed, not both")
                .hint("leave out --self-signed, or --tlscert and --tlskey"));
        }
        (Some(_), None, _) => return Err(half("certificate", "key", "--tlskey", "API.TLS.KeyFile")),
        (None, Some(_), _) => return Err(half("key", "certificate", "--tlscert", "API.TLS.CertFile")),
    };
    let fingerprint = match get.text("API.TLS.Fingerprint")?.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|wrong| Error::usage(format!("API.TLS.Fingerprint: {wrong}")))?),
    };
    // A command on the server's own machine knows its authority.
    let own = get.path("DataDir")?.join("tls/ca.pem");
    let ca_file = get.file("API.TLS.CAFile")?.or_else(|| (self_signed && own.exists()).then_some(own));
    let trust = Trust { ca_file, fingerprint, insecure: get.boolean("API.TLS.Insecure")? };
    let used = get.boolean("API.TLS.UseTLS")? || server != ServerTls::Plain || trust != Trust::default();
    Ok(Tls { server, used, trust })
}

fn auto_cert(get: &Get<'_>, names: Vec<String>) -> Result<AutoCert, Error> {
    let text = |key: &str| get.text(key).map(|text| Some(text).filter(|text| !text.is_empty()));
    let external_account = match text("API.TLS.AutoCertEAB")? {
        None => None,
        Some(text) => {
            let account = text.parse();
            Some(account.map_err(|wrong| Error::usage(format!("API.TLS.AutoCertEAB: {wrong}")))?)
        }
    };
    Ok(AutoCert {
        names,
        directory: get.text("API.TLS.AutoCertDirectory")?,
        directory_ca: get.file("API.TLS.AutoCertDirectoryCA")?,
        email: text("API.TLS.AutoCertEmail")?,
        profile: text("API.TLS.AutoCertProfile")?,
        external_account,
        challenge: match get.text("API.TLS.AutoCertChallenge")?.as_str() {
            "http-01" => Some(Challenge::Http01),
            "tls-alpn-01" => Some(Challenge::TlsAlpn01),
            _ => None,
        },
        http_port: get.port("API.TLS.AutoCertHTTPPort")?,
        cache: get.file("API.TLS.AutoCertCachePath")?,
    })
}

fn half(given: &str, missing: &str, flag: &str, key: &str) -> Error {
    Error::usage(format!("the {given} of the API is given, and its {missing} is not"))
        .hint(format!("add {flag} FILE, or {key}"))
}

/// Values by name, each of the type the table says. A mismatch is a mistake of ours.
pub(super) struct Get<'layers>(&'layers Layers);

macro_rules! getters {
    ($($name:ident: $variant:ident -> $type:ty),*) => {
        impl Get<'_> {
            $(pub(super) fn $name(&self, key: &str) -> Result<$type, Error> {
                match self.0.get(key) {
                    Some(Value::$variant(value)) => Ok(value.clone()),
                    _ => Err(mistyped(key)),
                }
            })*
        }
    };
}

getters!(text: Text -> String, boolean: Boolean -> bool, port: Port -> u16, path: Path -> PathBuf,
    duration: Duration -> Duration, list: List -> Vec<String>, number: Amount -> u64, users: Users -> Vec<WrittenUser>, map: Map -> BTreeMap<String, String>);

impl Get<'_> {
    /// What is no share of anything.
    fn amount(&self, key: &str) -> Result<u64, Error> {
        match self.0.get(key) {
            Some(Value::Amount(amount)) => Ok(*amount),
            _ => Err(Error::usage(format!("{key} is an amount, not a share"))),
        }
    }

    /// None if it is empty.
    fn file(&self, key: &str) -> Result<Option<PathBuf>, Error> {
        self.path(key).map(|path| Some(path).filter(|path| !path.as_os_str().is_empty()))
    }

    fn share(&self, key: &str) -> Result<Share, Error> {
        match self.0.get(key) {
            Some(Value::Percent(percent)) => Ok(Share::Percent(*percent)),
            Some(Value::Amount(amount)) => Ok(Share::Amount(*amount)),
            _ => Err(mistyped(key)),
        }
    }
}

fn mistyped(key: &str) -> Error {
    Error::internal(format!("configuration key `{key}` is used as another type than it has"))
}
