//! Who makes a request.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use skrei_protocol::join::Refusal;
use skrei_tls::Fingerprint;

use super::{
    identities::{Caller, Stranger},
    listener::Nodes,
};

/// The other end of a connection, put beside every request that comes on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// Where it calls from.
    pub(crate) address: SocketAddr,
    /// The certificate it showed, if it did.
    pub(crate) certificate: Option<Fingerprint>,
}

/// The node that makes a request; whoever is none is refused. Looked up anew for every request, so that what was revoked
/// counts no more on connections that are open.
impl<S> FromRequestParts<S> for Caller
where
    Nodes: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Stranger;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Stranger> {
        let certificate = parts.extensions.get::<Peer>().and_then(|peer| peer.certificate);
        Nodes::from_ref(state).orchestrator.identities.caller(certificate)
    }
}

impl IntoResponse for Stranger {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unnamed | Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Rejected(_) | Self::Removed(_) => StatusCode::FORBIDDEN,
        };
        refuse(status, self.refusal())
    }
}

/// A refusal as an answer.
pub(super) fn refuse(status: StatusCode, refusal: Refusal) -> Response {
    (status, Json(refusal)).into_response()
}
