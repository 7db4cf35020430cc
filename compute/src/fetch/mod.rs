//! Inputs from somewhere else, fetched by the node before a guest starts: files behind URLs and objects in buckets.
//!
//! A job says where from; the node's owner says where from at most ([`Rules`]). A name is judged before it is looked up,
//! and every address it leads to before anything is connected, so that no job makes a node call what is its own or its
//! network's. What is fetched goes into the node's bounded store of artifacts.

mod client;
mod download;
mod error;
mod objects;

pub(crate) use error::Error;
pub(crate) use objects::{Fetched, words};
use skrei_bucket::{Access, Intent};
use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
    spec::{Publisher, Source, Task},
};
use skrei_runtime::{
    Network,
    network::{Attempt, DenialRule, Verdict, judge},
};

use crate::Config;

/// What jobs may have fetched, by the node's owner.
#[derive(Debug)]
pub(crate) struct Rules {
    /// From where.
    network: Network,
    /// Whose buckets.
    pub(crate) access: Access,
    /// Types of sources that are switched off, in lower case.
    disabled: Vec<String>,
    /// The most of one input, in bytes.
    bytes_max: u64,
    /// How long one input may take.
    time_max: std::time::Duration,
}

/// Names of the two types of sources.
const DOWNLOAD: &str = "urlDownload";
const OBJECTS: &str = "s3";

impl Rules {
    /// Reads the owner's rules.
    pub(crate) fn parse(config: &Config) -> Result<Self, crate::Error> {
        Ok(Self {
            network: Network::http(&config.fetch_hosts).map_err(crate::Error::FetchHosts)?,
            access: config.buckets.clone(),
            disabled: config.disabled_sources.iter().map(|name| name.trim().to_lowercase()).collect(),
            bytes_max: config.limits.fetch_bytes,
            time_max: config.limits.fetch,
        })
    }

    /// Types of sources that can be had here.
    pub(crate) fn sources(config: &Config) -> Vec<String> {
        let is_on =
            |name: &&str| !config.disabled_sources.iter().any(|off| off.trim().eq_ignore_ascii_case(name));
        [DOWNLOAD, OBJECTS].iter().filter(|name| is_on(name)).map(|name| (*name).to_owned()).collect()
    }

    /// Says whether an input of the task would be refused now, as far as that can be told without asking anybody.
    pub(crate) fn check(&self, node: &NodeId, task: &Task) -> Result<(), Refusal> {
        let sources = task.inputs.iter().map(|input| &input.source).chain([&task.program.module]);
        for source in sources {
            let (kind, from) = match source {
                Source::Download(download) => (DOWNLOAD, download.url().clone()),
                Source::Objects(objects) => {
                    let endpoint = self.access.endpoint_of(&objects.bucket);
                    let Ok(endpoint) = endpoint.parse() else { continue };
                    (OBJECTS, endpoint)
                }
                _ => continue,
            };
            if self.disabled.contains(&kind.to_lowercase()) {
                return Err(Refusal {
                    rule: Rule::Unsupported,
                    message: format!(
                        "node `{node}` fetches no inputs of type `{kind}` (`InputSources.Disabled`)"
                    ),
                    hint: Some("give the input in another way, such as `local` or `inline`".to_owned()),
                });
            }
            self.may_reach(&from).map_err(|error| error.refusal(node))?;
        }
        self.check_publisher(node, &task.publisher)
    }

    /// Says whether results may go where they should.
    fn check_publisher(&self, node: &NodeId, publisher: &Publisher) -> Result<(), Refusal> {
        let Publisher::Bucket(publication) = publisher else { return Ok(()) };
        if let Ok(endpoint) = self.access.endpoint_of(&publication.bucket).parse() {
            self.may_reach(&endpoint).map_err(|error| error.refusal(node))?;
        }
        let opened = self.access.open(&publication.bucket, Intent::Write, None);
        opened.map(drop).map_err(|denied| Refusal {
            rule: Rule::Unsupported,
            message: format!("node `{node}` does not publish there: {denied}"),
            hint: Some(
                "publish with `local`, or to a bucket that the node's owner lists with `rw`".to_owned(),
            ),
        })
    }

    /// Whether any bucket can be published to.
    pub(crate) fn has_bucket_for_results(config: &Config) -> bool {
        config.buckets.is_writable()
    }

    /// Whether something may be fetched from the host of a URL, before its name is looked up.
    fn may_reach(&self, url: &reqwest::Url) -> Result<(), Error> {
        let (host, port) = client::host_and_port(url)?;
        self.permit(Attempt::Request { host, port })
    }

    fn permit(&self, attempt: Attempt) -> Result<(), Error> {
        match judge(&self.network, &attempt) {
            Verdict::Allowed => Ok(()),
            Verdict::Denied(rule) => Err(Error::denied(&attempt, rule)),
        }
    }
}

impl Error {
    fn denied(attempt: &Attempt, rule: DenialRule) -> Self {
        let why = match rule {
            DenialRule::NotListed => "is on no entry of the list of hosts".to_owned(),
            DenialRule::NotPublic(range) => {
                format!("is a {range} address and not on the list of hosts itself")
            }
            other => other.as_str().to_owned(),
        };
        match attempt {
            Attempt::Connection { host, address } => {
                Self::Denied(format!("{host} leads to {}, which {why}", address.ip()))
            }
            Attempt::Request { host, .. } => Self::Denied(format!("{host} {why}")),
            other => Self::Denied(format!("{other} {why}")),
        }
    }

    /// As a refusal by the node's owner.
    fn refusal(&self, node: &NodeId) -> Refusal {
        Refusal {
            rule: Rule::Network,
            message: format!("node `{node}` does not fetch that: {self}"),
            hint: self.hint().map(str::to_owned),
        }
    }
}
