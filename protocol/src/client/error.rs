//! What can go wrong when talking to an orchestrator.

use std::error::Error as _;

use reqwest::StatusCode;
use url::Url;

use crate::api::error::ErrorBody;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a URL of the form `http://HOST:PORT`.
    #[error("`{0}` is not an endpoint of the form `http://HOST:PORT`")]
    BadEndpoint(String),
    /// Nothing answers there, or the connection broke.
    #[error("no answer from the orchestrator at {endpoint}: {cause}")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// The system's words.
        cause: String,
    },
    /// The orchestrator says no.
    #[error("{0}")]
    Api(Box<ErrorBody>),
    /// Something answers there, but not an orchestrator.
    #[error("the server at {endpoint} does not answer like an orchestrator (status {status}): {cause}")]
    Unexpected {
        /// Where.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What was wrong with the answer.
        cause: String,
    },
    /// The log says why it cannot go on.
    #[error("{0}")]
    Log(String),
}

impl Error {
    pub(crate) fn unreachable(endpoint: &Url, error: reqwest::Error) -> Self {
        let error = error.without_url();
        // The last cause is the system's own: `Connection refused`.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        Self::Unreachable { endpoint: shown(endpoint), cause: cause.to_string() }
    }

    pub(crate) fn unexpected(endpoint: &Url, status: StatusCode, error: &serde_json::Error) -> Self {
        Self::Unexpected { endpoint: shown(endpoint), status: status.as_u16(), cause: error.to_string() }
    }

    pub(crate) fn socket(endpoint: &Url, error: &tokio_tungstenite::tungstenite::Error) -> Self {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Self::Unreachable { endpoint: shown(endpoint), cause }
    }

    /// The way out, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some(
                "start one with `skrei serve --orchestrator`, or say where it is with --api-host and --api-port"
                    .to_owned(),
            ),
            Self::Api(body) if !body.hint.is_empty() => Some(body.hint.clone()),
            _ => None,
        }
    }
}

fn shown(endpoint: &Url) -> String {
    endpoint.as_str().trim_end_matches('/').to_owned()
}
