//! Why an artifact is not here.

use reqwest::StatusCode;
use skrei_job::Digest;

use crate::link::Address;

/// Why an artifact is not here.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no orchestrator to fetch artifact `{digest}` from")]
    Nowhere { digest: Digest },
    #[error("orchestrator `{address}` has no artifact `{digest}`")]
    Unknown { digest: Digest, address: Address },
    #[error("orchestrator `{address}` answers {status} when asked for artifact `{digest}`")]
    Answer { digest: Digest, address: Address, status: StatusCode },
    #[error("artifact `{digest}` cannot be fetched from orchestrator `{address}`: {cause}")]
    Network { digest: Digest, address: Address, cause: String },
    #[error("artifact `{digest}` has more than the {bytes_max} bytes this node fetches")]
    TooLarge { digest: Digest, bytes_max: u64 },
    #[error("what arrived as artifact `{digest}` is `{found}` ({bytes} bytes)")]
    WrongDigest { digest: Digest, found: Digest, bytes: u64 },
    #[error("artifact `{digest}` cannot be written: {cause}")]
    Disk { digest: Digest, cause: String },
}

impl Error {
    pub(super) fn network(digest: Digest, address: &Address, cause: &reqwest::Error) -> Self {
        let mut message = cause.to_string();
        let mut source = std::error::Error::source(cause);
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::Network { digest, address: address.clone(), cause: message }
    }

    pub(super) fn disk(digest: Digest, cause: &std::io::Error) -> Self {
        Self::Disk { digest, cause: cause.to_string() }
    }

    /// Whether trying again soon may help.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Nowhere { .. } | Self::Network { .. } => true,
            Self::Answer { status, .. } => status.is_server_error(),
            Self::Unknown { .. } | Self::TooLarge { .. } | Self::WrongDigest { .. } | Self::Disk { .. } => {
                false
            }
        }
    }

    /// The way out, where there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => Some("submit the job again: that uploads what it needs"),
            Self::Network { .. } | Self::Nowhere { .. } => {
                Some("run the job again when the orchestrator can be reached")
            }
            Self::Disk { .. } => Some("make room on the node's disk"),
            Self::Answer { .. } | Self::TooLarge { .. } | Self::WrongDigest { .. } => None,
        }
    }
}
