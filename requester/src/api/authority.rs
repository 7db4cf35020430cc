//! `/orchestrator/authority`: who vouches for the orchestrator to its nodes, and for them.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use skrei_protocol::api::{
    authority::{Authority, FormerAuthority, PostAuthorityRequest},
    error::{Code, ErrorBody},
};

use super::{Api, body::Body, error::ApiError};
use crate::{
    nodes::{AuthorityError, rotation},
    orchestrator::Orchestrator,
};

/// The authority of the nodes, and who still needs the one before.
#[utoipa::path(get, path = "/orchestrator/authority", tag = "Nodes", operation_id = "getNodeAuthority",
    responses((status = 200, body = Authority)))]
pub(super) async fn get(State(api): State<Api>) -> Response {
    super::json(&shown(&api.orchestrator))
}

/// Puts another authority in the place of this one (`rotate`), or believes the one before no longer (`drop`).
#[utoipa::path(post, path = "/orchestrator/authority", tag = "Nodes", operation_id = "changeNodeAuthority",
    request_body = PostAuthorityRequest,
    responses((status = 200, body = Authority),
        (status = 409, description = "The one before is still believed; or there is none", body = ErrorBody)))]
pub(super) async fn change(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let PostAuthorityRequest { action } = body.read()?;
    match action.as_str() {
        "rotate" => rotation::rotate(&api.orchestrator).await,
        "drop" => rotation::drop_former(&api.orchestrator).await,
        _ => return Err(ApiError::bad_request("`Action` is `rotate` or `drop`")),
    }
    .map_err(failed)?;
    Ok(super::json(&shown(&api.orchestrator)))
}

fn shown(orchestrator: &Arc<Orchestrator>) -> Authority {
    let former = orchestrator.authority.former().map(|former| FormerAuthority {
        fingerprint: skrei_tls::Fingerprint::of(&former.certificate).to_string(),
        nodes: orchestrator.identities.holding(&former.issued).iter().map(ToString::to_string).collect(),
    });
    Authority { fingerprint: orchestrator.authority.issuer().fingerprint().to_string(), former }
}

fn failed(error: AuthorityError) -> ApiError {
    match error {
        AuthorityError::Authority(skrei_tls::AuthorityError::Rotating) => {
            ErrorBody::new(Code::ConflictNodeState, "the authority before this one is still believed")
                .hint("`skrei node authority` shows who needs it; `skrei node authority drop` ends that")
                .into()
        }
        AuthorityError::NoFormer => ErrorBody::new(Code::ConflictNodeState, error.to_string()).into(),
        error => {
            tracing::error!("the authority of the nodes cannot be changed: {error}");
            let message = format!("the authority of the nodes cannot be changed: {error}");
            ErrorBody::new(Code::ServiceUnavailable, message).into()
        }
    }
}
