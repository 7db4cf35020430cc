//! Why an input is not fetched.

use skrei_bucket::Denied;
use skrei_job::Digest;

/// Why an input is not fetched.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Denied(String),
    #[error("`{0}` is not the URL of a host")]
    NoHost(String),
    #[error("the name `{host}` cannot be looked up: {cause}")]
    NoAddress { host: String, cause: String },
    #[error("`{from}` answers {status}")]
    Answer { from: String, status: u16 },
    #[error("`{from}` cannot be fetched: {cause}")]
    Network { from: String, cause: String },
    #[error("`{from}` redirects more than {max} times")]
    Redirects { from: String, max: usize },
    #[error("`{from}` redirects from https to plain http")]
    Downgrade { from: String },
    #[error("`{from}` has more than the {bytes_max} bytes this node fetches")]
    TooLarge { from: String, bytes_max: u64 },
    #[error("`{from}` took longer than {seconds} s")]
    TooSlow { from: String, seconds: u64 },
    #[error("what is behind `{from}` is `{found}` and not `{expected}`")]
    WrongDigest { from: String, expected: Digest, found: Digest },
    #[error("`{from}` cannot be kept on the node's disk: {cause}")]
    Disk { from: String, cause: String },
    #[error("{0}")]
    Bucket(#[from] Denied),
    #[error("`{from}` stands for more than {max} objects")]
    TooMany { from: String, max: usize },
    #[error("there is nothing at `{from}`")]
    Nothing { from: String },
}

impl Error {
    /// Whether trying again soon may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Network { .. } | Self::NoAddress { .. } => true,
            Self::Answer { status, .. } => *status >= 500 || matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// The way out, where there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Denied(_) => Some(
                "the node's owner can list the host with `-c InputSources.Hosts=HOST,...` (default `*`: any that is public)",
            ),
            Self::TooLarge { .. } => Some("mount it from the node with `local`, or fetch less"),
            Self::TooSlow { .. } => {
                Some("the node's owner can allow more with `-c InputSources.ReadTimeout=10m`")
            }
            Self::WrongDigest { .. } => {
                Some("look at what is there now; if it is right, correct `SHA256` in the job")
            }
            Self::Disk { .. } => Some("make room on the node's disk"),
            Self::Answer { status: 401 | 403, .. } => {
                Some("it is not for everybody; nodes show nobody any credentials")
            }
            Self::Bucket(_) => Some("these are settings of the node, for its owner to make"),
            Self::TooMany { .. } => Some("use a longer prefix, a `Filter`, or `Partition`"),
            _ => None,
        }
    }
}
