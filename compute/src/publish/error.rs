//! Why results are not published.

use std::io;

/// Why results are not published, and trying again will not help.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the archive of them would have more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64 },
    #[error("archives that wait to be handed over take the {bytes_max} bytes this node keeps for them")]
    Full { bytes_max: u64 },
    #[error("directories in result path `{name}` lie more than {depth_max} deep")]
    TooDeep { name: String, depth_max: usize },
    #[error("they cannot be packed on the node's disk: {0}")]
    Disk(String),
    #[error("the archive of them is no longer on the node's disk")]
    Missing,
    #[error("the orchestrator does not take them: {0}")]
    Refused(String),
    #[error("{0}")]
    Denied(String),
    #[error("`s3://{bucket}/{key}` cannot be written: {cause}")]
    Bucket { bucket: String, key: String, cause: String },
}

impl Error {
    pub(super) fn disk(cause: &io::Error) -> Self {
        Self::Disk(cause.to_string())
    }

    /// The way out, where there is one.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge { .. } => Some("publish less, or to a bucket: `Publisher: {Type: s3}`"),
            Self::Full { .. } => Some("run the job again when the node has handed over what waits"),
            Self::TooDeep { .. } => Some("let the guest pack them into a file of its own"),
            Self::Disk(_) => Some("make room on the node's disk"),
            Self::Denied(_) => Some("these are settings of the node, for its owner to make"),
            Self::Bucket { .. } => Some("look at the bucket's rules, and at the node's credentials for it"),
            Self::Missing | Self::Refused(_) => None,
        }
    }
}
