//! `/orchestrator/join-tokens`: what lets nodes in.

use std::time::Duration;

use axum::{extract::State, response::Response};
use skrei_job::Timestamp;
use skrei_protocol::api::{
    time::rfc3339,
    token::{ListTokensResponse, PostTokenRequest, PostTokenResponse, RevokeTokenResponse, Token},
};

use super::{Api, body::Body, error::ApiError, guard::Subject, segment::Segment};
use crate::{
    clock,
    nodes::tokens::{self, Wanted},
    store::{StoredToken, TokenFault},
};

/// Longest note: it is read in a table.
const NOTE_CHARS_MAX: usize = 200;

/// Every join token, without what lets anybody in.
#[utoipa::path(get, path = "/orchestrator/join-tokens", tag = "Nodes", operation_id = "listJoinTokens",
    responses((status = 200, body = ListTokensResponse)))]
pub(super) async fn list(State(api): State<Api>) -> Result<Response, ApiError> {
    let now = clock::now();
    let items = api.orchestrator.store.tokens().await?.iter().map(|token| wire(token, now)).collect();
    Ok(super::json(&ListTokensResponse { items }))
}

/// Makes a join token. The answer is the only time that it can be seen.
#[utoipa::path(post, path = "/orchestrator/join-tokens", tag = "Nodes", operation_id = "makeJoinToken",
    request_body = Option<PostTokenRequest>, responses((status = 200, body = PostTokenResponse)))]
pub(super) async fn make(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let PostTokenRequest { lifetime, uses, note } = body.read()?;
    if note.chars().count() > NOTE_CHARS_MAX || note.chars().any(char::is_control) {
        let message = format!("`Note` is one line of {NOTE_CHARS_MAX} characters at most");
        return Err(ApiError::bad_request(message));
    }
    for (name, number) in [("Lifetime", lifetime), ("Uses", uses)] {
        if i64::try_from(number).is_err() {
            let message = format!("`{name}` is {} at most; 0 sets no bound", i64::MAX);
            return Err(ApiError::bad_request(message));
        }
    }
    let lifetime = (lifetime > 0).then(|| Duration::from_secs(lifetime));
    let wanted = Wanted { note, lifetime, uses: (uses > 0).then_some(uses) };
    let (orchestrator, now) = (&api.orchestrator, clock::now());
    let (store, file) = (&orchestrator.store, Some(&orchestrator.token_file));
    let made = tokens::make(store, wanted, orchestrator.authority.issuer().fingerprint(), file, now).await?;
    let (token, kept) = made;
    tracing::info!(id = %token.id, "a join token was made");
    let answer = super::json(&PostTokenResponse { token: token.reveal(), listed: wire(&kept, now) });
    Ok(Subject(token.id).of(answer))
}

/// A join token lets nobody in any more.
#[utoipa::path(delete, path = "/orchestrator/join-tokens/{id}", tag = "Nodes", operation_id = "revokeJoinToken",
    params(("id" = String, Path, description = "As listed")),
    responses((status = 200, body = RevokeTokenResponse)))]
pub(super) async fn revoke(State(api): State<Api>, Segment(id): Segment) -> Result<Response, ApiError> {
    if !api.orchestrator.store.revoke_token(id.clone()).await? {
        let hint = "`skrei node token list` shows the tokens there are";
        return Err(ApiError::not_found("join token that lets anybody in", &id, hint));
    }
    tracing::info!(%id, "a join token was revoked");
    Ok(super::json(&RevokeTokenResponse {}))
}

fn wire(token: &StoredToken, now: Timestamp) -> Token {
    let state = match token.fault(now) {
        None => "valid",
        Some(TokenFault::Expired) => "expired",
        Some(TokenFault::UsedUp) => "used up",
        Some(TokenFault::Revoked | TokenFault::Unknown) => "revoked",
    };
    Token {
        id: token.id.clone(),
        note: token.note.clone(),
        state: state.to_owned(),
        made: rfc3339(token.made),
        expires: token.expires.map(rfc3339).unwrap_or_default(),
        uses: token.uses.unwrap_or(0),
        used: token.used,
    }
}
