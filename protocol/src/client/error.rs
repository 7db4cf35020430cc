//! What can go wrong when talking to an orchestrator.

use std::io;

use reqwest::StatusCode;
use skrei_tls::{AlertDescription, CertificateError, TlsError, TrustError};
use url::Url;

use crate::api::error::ErrorBody;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a URL of the form `http://HOST:PORT` or `https://HOST:PORT`.
    #[error("`{0}` is not an endpoint of the form `http://HOST:PORT` or `https://HOST:PORT`")]
    BadEndpoint(String),
    /// Nothing answers there, or the connection broke.
    #[error("no answer from the orchestrator at {endpoint}: {cause}")]
    Unreachable {
        /// Where.
        endpoint: String,
        /// The system's words.
        cause: String,
    },
    /// The other side is not who it should be, or does not speak TLS.
    #[error("no secure connection to {endpoint}: {cause}")]
    Untrusted {
        /// Where.
        endpoint: String,
        /// What is wrong.
        cause: String,
        /// The way out.
        hint: &'static str,
    },
    /// What the client was told to trust cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A key, password or token with control characters in it.
    #[error("the key, password or token holds characters that cannot be sent")]
    BadCredential,
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
    /// Whoever answers there sends callers on to somebody else, whom nobody has named: what shows who is calling, and the
    /// secrets of a job, do not follow.
    #[error("the server at {endpoint} sends callers on to {to}")]
    Redirected {
        /// Where it was called.
        endpoint: String,
        /// Where it points to: scheme, host and port.
        to: String,
    },
    /// A server does not give what is to be downloaded.
    #[error("the server at {server} does not give the results (status {status})")]
    NoDownload {
        /// Which.
        server: String,
        /// The HTTP status.
        status: u16,
    },
    /// The log says why it cannot go on.
    #[error("{0}")]
    Log(String),
}

impl Error {
    pub(crate) fn unreachable(endpoint: &Url, error: reqwest::Error) -> Self {
        Self::connection(endpoint, &error.without_url())
    }

    /// A connection that was not to be had, or broke.
    pub(crate) fn connection(endpoint: &Url, error: &(dyn std::error::Error + 'static)) -> Self {
        let endpoint = shown(endpoint);
        // The last cause is the system's own: `Connection refused`.
        let mut cause = error;
        loop {
            if let Some(tls) = tls_error(cause) {
                let (cause, hint) = in_words(tls);
                return Self::Untrusted { endpoint, cause, hint };
            }
            match cause.source() {
                Some(source) => cause = source,
                None => return Self::Unreachable { endpoint, cause: cause.to_string() },
            }
        }
    }

    pub(crate) fn unexpected(endpoint: &Url, status: StatusCode, error: &serde_json::Error) -> Self {
        Self::Unexpected { endpoint: shown(endpoint), status: status.as_u16(), cause: error.to_string() }
    }

    pub(crate) fn socket(endpoint: &Url, error: &tokio_tungstenite::tungstenite::Error) -> Self {
        Self::connection(endpoint, error)
    }

    /// The way out, if there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some(
                "start one with `skrei serve --orchestrator`, or say where it is with --api-host and --api-port"
                    .to_owned(),
            ),
            Self::Untrusted { hint, .. } => Some((*hint).to_owned()),
            Self::Redirected { to, .. } => {
                Some(format!("if the orchestrator is there, call it so: --api-host {to}"))
            }
            Self::NoDownload { status: 403, .. } => {
                Some("a signed URL lives for a while only: try again".to_owned())
            }
            Self::NoDownload { status: 404 | 410, .. } => {
                Some("they may have been removed since the job ended".to_owned())
            }
            Self::Api(body) if !body.hint.is_empty() => Some(body.hint.clone()),
            _ => None,
        }
    }
}

fn shown(endpoint: &Url) -> String {
    endpoint.as_str().trim_end_matches('/').to_owned()
}

/// An error of TLS itself; I/O errors carry it inside, not as their source.
fn tls_error<'error>(error: &'error (dyn std::error::Error + 'static)) -> Option<&'error TlsError> {
    error.downcast_ref().or_else(|| tls_error(error.downcast_ref::<io::Error>()?.get_ref()?))
}

/// What is wrong in words, and the way out.
fn in_words(error: &TlsError) -> (String, &'static str) {
    match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
                "its certificate has expired".to_owned(),
                "renew it on the server; if it is fresh, check the clock of this machine",
            ),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ("its certificate is not valid yet".to_owned(), "check the clocks of both machines")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
                "its certificate is for another name".to_owned(),
                "call it by a name in its certificate (--api-host), or make a certificate with this name",
            ),
            CertificateError::UnknownIssuer => (
                "no authority that is trusted here vouches for its certificate".to_owned(),
                "give its authority with --cacert FILE, or its fingerprint with -c API.TLS.Fingerprint=SHA256",
            ),
            other => {
                (format!("its certificate is not accepted: {other}"), "make a new certificate on the server")
            }
        },
        TlsError::AlertReceived(AlertDescription::AccessDenied) => (
            "it has no certificate to show yet".to_owned(),
            "its log says what it waits for; until its authority has issued one, nobody is served",
        ),
        TlsError::InvalidMessage(_) => (
            "it does not speak TLS".to_owned(),
            "call it with http:// and without --tls, or give the server a certificate",
        ),
        other => (other.to_string(), "the server must speak TLS 1.2 or 1.3"),
    }
}
