//! Why a node has no identity.

use skrei_protocol::join::Refusal;
use skrei_tls::IdentityError;

use crate::link::Address;

/// Why a node has no identity. No message shows anything of a token or key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// It has nothing to join with.
    #[error("this node has not joined orchestrator `{orchestrator}`, and has no token to join with")]
    NoToken {
        /// Which.
        orchestrator: String,
    },
    /// What it was configured with is broken.
    #[error("Compute.Auth.Token {0}")]
    BadToken(&'static str),
    /// The file of the authority cannot be used, or is not that of the token.
    #[error("Compute.TLS.CACert: {0}")]
    Authority(String),
    /// The orchestrator does not let it in.
    #[error("orchestrator `{orchestrator}` does not let this node join: {message}")]
    Refused {
        /// Which.
        orchestrator: String,
        /// Why.
        message: String,
        /// The way out.
        hint: String,
    },
    /// The identity cannot be kept, or is not usable.
    #[error("this node's identity cannot be used: {0}")]
    Identity(#[from] IdentityError),
    /// Encryption cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

impl JoinError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NoToken { .. } => Some(
                "set Compute.Auth.Token to what `skrei node token create` prints on the orchestrator; a node of the \
                same machine and user needs none",
            ),
            Self::BadToken(_) => Some("copy the whole of it"),
            Self::Authority(_) => {
                Some("give the `orchestrator/authority/ca.pem` below the orchestrator's data directory")
            }
            Self::Refused { hint, .. } => Some(hint),
            Self::Identity(_) => Some(
                "remove `compute/identity.pem` below the node's data directory to let it join anew, with a token",
            ),
            Self::Tls(_) => None,
        }
    }
}

/// Why one try to join did not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// Somebody has to change something.
    #[error(transparent)]
    For(JoinError),
    /// It may go well another time, or elsewhere.
    #[error("{0}")]
    Now(String),
}

impl From<IdentityError> for Failed {
    fn from(error: IdentityError) -> Self {
        Self::For(error.into())
    }
}

impl Failed {
    pub(super) fn refused(orchestrator: &Address, Refusal { message, hint }: Refusal) -> Self {
        Self::For(JoinError::Refused { orchestrator: orchestrator.to_string(), message, hint })
    }
}
