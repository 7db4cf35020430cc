//! How nodes become known: joining with a token, and the next certificate.

use std::{
    net::UdpSocket,
    time::{Duration, SystemTime},
};

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use skrei_job::NodeId;
use skrei_protocol::join::{Certified, JoinRequest, LocalToken, Proof, Refusal, RenewRequest, Shared};
use skrei_tls::{CertificateRequest, Fingerprint, NodeCertificate, NodeIssuer};

use super::{
    caller::{Peer, refuse},
    greeting::is_name,
    identities::{Caller, Stranger},
    listener::Nodes,
    tokens,
};
use crate::{
    clock,
    orchestrator::Orchestrator,
    store::{JoinFault, Joining, TokenFault},
};

/// A wrong token is answered so much later: guessing is no use for random tokens, and slow for chosen ones.
const WRONG_PAUSE: Duration = Duration::from_secs(1);

/// Takes a node in.
pub(super) async fn join(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    Extension(peer): Extension<Peer>,
    Json(request): Json<JoinRequest>,
) -> Response {
    let node = request.node.clone();
    match admitted(&orchestrator, request).await {
        Ok(certified) => {
            tracing::info!(%node, address = %peer.address, "node joined");
            Json(certified).into_response()
        }
        Err((status, refusal)) => {
            tracing::warn!(node = %node.as_str().escape_debug(), address = %peer.address, reason = %refusal.message,
                "a node was not let in");
            if status == StatusCode::UNAUTHORIZED {
                tokio::time::sleep(WRONG_PAUSE).await;
            }
            refuse(status, refusal)
        }
    }
}

/// Gives a node its next certificate.
pub(super) async fn renew(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    caller: Caller,
    Json(RenewRequest { request }): Json<RenewRequest>,
) -> Response {
    let issuer = orchestrator.authority.issuer();
    let (key, certificate) = match issue(&orchestrator, &issuer, &caller.node, &request) {
        Ok(issued) => issued,
        Err((status, refusal)) => return refuse(status, refusal),
    };
    match orchestrator.identities.renew(&caller, key.public_key(), certificate.fingerprint).await {
        Ok(true) if orchestrator.authority.is_present(&issuer) => {
            tracing::info!(node = %caller.node, "node certificate renewed");
            orchestrator.authority.noted();
            Json(certified(&issuer, certificate, None)).into_response()
        }
        Ok(true) => refuse(StatusCode::SERVICE_UNAVAILABLE, another_authority()),
        Ok(false) => Stranger::Unknown.into_response(),
        Err(error) => {
            tracing::error!(%error, "a certificate cannot be kept");
            refuse(StatusCode::SERVICE_UNAVAILABLE, store_refusal())
        }
    }
}

/// Where a caller of this machine finds a token, if it may read it.
pub(super) async fn local(
    State(Nodes { orchestrator, .. }): State<Nodes>,
    Extension(peer): Extension<Peer>,
) -> Response {
    let from = peer.address.ip();
    // The system lets nobody have an address of another machine. What the caller may do is up to the file.
    if !from.to_canonical().is_loopback() && UdpSocket::bind((from, 0)).is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    Json(LocalToken { file: orchestrator.token_file.path.clone() }).into_response()
}

type Refused = (StatusCode, Refusal);

async fn admitted(orchestrator: &Orchestrator, asked: JoinRequest) -> Result<Certified, Refused> {
    let JoinRequest { node, request, proof } = asked;
    let issuer = orchestrator.authority.issuer();
    let (token, shared) = match &proof {
        Proof::Token { id, secret } => (Some((id.clone(), tokens::hash(secret))), None),
        Proof::Shared { code } => {
            let word = orchestrator.config.token.as_deref();
            // A node may have been told of the authority before.
            let former = orchestrator.authority.former();
            let former = former.map(|former| Fingerprint::of(&former.certificate));
            let shared = word.and_then(|word| {
                let mut believed = [issuer.fingerprint()].into_iter().chain(former);
                believed.find_map(|authority| {
                    Some(Shared::new(word, authority, &request)).filter(|shared| shared.is_of_node(code))
                })
            });
            match shared {
                Some(shared) => (None, Some(shared)),
                None => return Err(refused(JoinFault::Token(TokenFault::Unknown), &node)),
            }
        }
    };
    if !is_name(node.as_str()) {
        let message = format!("`{}` is not a node name", node.as_str().escape_debug());
        let hint = "use letters, digits, `-`, `_` and `.`, at most 128 of them".to_owned();
        return Err((StatusCode::BAD_REQUEST, Refusal { message, hint }));
    }
    let (key, certificate) = issue(orchestrator, &issuer, &node, &request)?;
    let (public_key, fingerprint) = (key.public_key(), certificate.fingerprint);
    let joining =
        Joining { node: node.clone(), public_key, certificate: fingerprint, token, now: clock::now() };
    match orchestrator.identities.join(joining).await {
        Ok(Ok(())) if orchestrator.authority.is_present(&issuer) => {
            Ok(certified(&issuer, certificate, shared))
        }
        Ok(Ok(())) => Err((StatusCode::SERVICE_UNAVAILABLE, another_authority())),
        Ok(Err(fault)) => Err(refused(fault, &node)),
        Err(error) => {
            tracing::error!(%error, "a node that joins cannot be kept");
            Err((StatusCode::SERVICE_UNAVAILABLE, store_refusal()))
        }
    }
}

fn issue(
    orchestrator: &Orchestrator,
    issuer: &NodeIssuer,
    node: &NodeId,
    request: &str,
) -> Result<(CertificateRequest, NodeCertificate), Refused> {
    let lifetime = orchestrator.config.certificate_lifetime;
    let issued = CertificateRequest::from_pem(request).and_then(|request| {
        let certificate = issuer.issue(node.as_str(), &request, lifetime, SystemTime::now())?;
        Ok((request, certificate))
    });
    issued.map_err(|error| {
        let hint = "run the same version of skrei on both".to_owned();
        (StatusCode::BAD_REQUEST, Refusal { message: error.to_string(), hint })
    })
}

fn certified(issuer: &NodeIssuer, certificate: NodeCertificate, shared: Option<Shared<'_>>) -> Certified {
    let code = shared.map(|shared| shared.of_orchestrator(&certificate.pem));
    Certified { certificate: certificate.pem, authority: issuer.authority().to_owned(), code }
}

fn refused(fault: JoinFault, node: &NodeId) -> Refused {
    let another = "`skrei node token create` on the orchestrator makes another";
    let (status, message, hint) = match fault {
        JoinFault::Token(TokenFault::Unknown) => (
            StatusCode::UNAUTHORIZED,
            "the join token is wrong".to_owned(),
            format!(
                "set Compute.Auth.Token to a token of this orchestrator, or to its Orchestrator.Auth.Token; {another}"
            ),
        ),
        JoinFault::Token(TokenFault::Expired) => {
            (StatusCode::FORBIDDEN, "the join token has expired".to_owned(), another.to_owned())
        }
        JoinFault::Token(TokenFault::UsedUp) => {
            (StatusCode::FORBIDDEN, "the join token is used up".to_owned(), another.to_owned())
        }
        JoinFault::Token(TokenFault::Revoked) => {
            (StatusCode::FORBIDDEN, "the join token was revoked".to_owned(), another.to_owned())
        }
        JoinFault::NameTaken => (
            StatusCode::FORBIDDEN,
            format!("there is a node `{node}`, with another key"),
            format!(
                "give this one another name (`--name`); if it takes the place of that one: `skrei node delete {node}` first"
            ),
        ),
        JoinFault::Rejected => {
            let refusal = Stranger::Rejected(node.clone()).refusal();
            (StatusCode::FORBIDDEN, refusal.message, refusal.hint)
        }
    };
    (status, Refusal { message, hint })
}

/// What was just signed is of an authority that is none any more.
fn another_authority() -> Refusal {
    Refusal {
        message: "the orchestrator's authority is being replaced".to_owned(),
        hint: "ask again".to_owned(),
    }
}

fn store_refusal() -> Refusal {
    Refusal {
        message: "the orchestrator's store does not answer".to_owned(),
        hint: "see the orchestrator's log; a full disk is the usual cause".to_owned(),
    }
}
