//! `PUT /orchestrator/secrets/{name}`: a value, and who may have it.

use axum::{extract::State, response::Response};
use skrei_job::{
    labels::Requirement,
    secret::{Name, Scope},
};
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    secret::{PutSecretRequest, PutSecretResponse},
};
use zeroize::Zeroize as _;

use super::{name, namespace, remove::Place, value, wire};
use crate::{
    api::{Api, body::Body, error::ApiError, json, query::Query, segment::Segment, selector},
    clock,
    secrets::stored,
    store::StoredSecret,
};

/// Patterns that one scope may have.
const JOBS_MAX: usize = 256;

/// Longest of them, in bytes.
const JOB_BYTES_MAX: usize = 256;

/// Secrets that one namespace may have.
const SECRETS_MAX: u64 = 1000;

/// Sets a secret: its value, and which jobs on which nodes may have it.
#[utoipa::path(put, path = "/orchestrator/secrets/{name}", tag = "Secrets", operation_id = "putSecret",
    params(("name" = String, Path, description = "The secret's name"), Place),
    request_body = PutSecretRequest, responses((status = 200, body = PutSecretResponse)))]
pub(in crate::api) async fn set(
    State(api): State<Api>,
    Segment(text): Segment,
    Query(place): Query<Place>,
    body: Body,
) -> Result<Response, ApiError> {
    let (name, namespace) = (name(&text)?, namespace(&place.namespace));
    // Why it cannot be read is not said: the words would have some of the value.
    let mut request: PutSecretRequest =
        body.read().map_err(|_| ApiError::bad_request("the body is no secret in JSON"))?;
    let secret = value(&name, &request.value);
    request.value.zeroize();
    let secret = secret?;

    // Nobody closes it. Between reading the scope and storing it nobody else does.
    let _turn = api.orchestrator.keeper.acquire().await;
    let (before, count) = api.orchestrator.store.secret_among(namespace.clone(), name.clone()).await?;
    if before.is_none() && count >= SECRETS_MAX {
        let message = format!("namespace `{namespace}` has {count} secrets already, and can have no more");
        let hint = "`skrei secret remove` those that no job needs, or use another namespace";
        return Err(ErrorBody::new(Code::ResourceExhausted, message).hint(hint).into());
    }
    let scope = scope(&name, &request, before.as_ref())?;
    let ring = api.orchestrator.keys.ring();
    let locked = ring.lock(&secret, &stored(&namespace, &name)).map_err(|error| {
        ApiError::from(ErrorBody::new(Code::InternalError, format!("the secret cannot be locked: {error}")))
    })?;
    let now = clock::now();
    let put = StoredSecret {
        namespace,
        name,
        version: 1,
        locked: locked.to_bytes(),
        fingerprint: ring.fingerprint(&secret).to_string(),
        scope,
        created: now,
        modified: now,
    };
    let (before, secret) = api.orchestrator.store.put_secret(put).await?;
    tracing::info!(name = %secret.name, namespace = secret.namespace, version = secret.version, "a secret was set");
    let same_value = before.is_some_and(|before| before.fingerprint == secret.fingerprint);
    Ok(json(&PutSecretResponse { secret: wire(secret), same_value }))
}

/// Who may have it from now on: what is said, else what was said before.
fn scope(name: &Name, request: &PutSecretRequest, before: Option<&StoredSecret>) -> Result<Scope, ApiError> {
    if request.rotate && before.is_none() {
        let hint = "`skrei secret set` makes a new one; `skrei secret list` shows the secrets there are";
        return Err(ApiError::not_found("secret", name.as_str(), hint));
    }
    let jobs = match (&request.jobs, before) {
        (Some(jobs), _) => jobs.clone(),
        (None, Some(before)) => before.scope.jobs.clone(),
        (None, None) => Vec::new(),
    };
    if jobs.is_empty() || jobs.len() > JOBS_MAX || jobs.iter().any(String::is_empty) {
        let message = format!("say which jobs may have the secret `{name}`: nobody may unless you do");
        let hint = "--job NAME, --job 'deploy-*', or --job '*' for every job of the namespace";
        return Err(ErrorBody::new(Code::ValidationError, message).hint(hint).into());
    }
    if jobs.iter().any(|job| job.len() > JOB_BYTES_MAX) {
        let message =
            format!("a name of a job in the scope of secret `{name}` has more than {JOB_BYTES_MAX} bytes");
        return Err(ApiError::bad_request(message));
    }
    let nodes: Vec<Requirement> = match (&request.nodes, before) {
        (Some(text), _) => selector::parse(std::iter::once(text.as_str()))?,
        (None, Some(before)) => before.scope.nodes.clone(),
        (None, None) => Vec::new(),
    };
    Ok(Scope { jobs, nodes })
}
