//! `PUT /orchestrator/jobs/{id}/rerun` (reference 3.10).

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use skrei_job::life::JobState;
use skrei_protocol::api::job::RerunJobResponse;

use super::submit::{any_case, uuid};
use crate::{
    api::{Api, error::ApiError, json, lookup, query::Query},
    clock,
    decide::Refused,
};

pub(in crate::api) async fn rerun(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    body: Bytes,
) -> Result<Response, ApiError> {
    let body: Value = match body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&body)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?,
    };
    let field = |name| body.as_object().and_then(|body| any_case(body, name));
    let namespace = field("Namespace").and_then(Value::as_str).filter(|namespace| !namespace.is_empty());
    let mut job = lookup::job(&api, namespace.unwrap_or(query.text("namespace")), &id).await?;
    if matches!(job.state, JobState::Pending | JobState::Queued) {
        return Err(Refused::NotBegun { job: job.id, state: job.state }.into());
    }
    let version = field("JobVersion").and_then(Value::as_u64).unwrap_or(0);
    if version != 0 && version != job.version {
        let manifest = api.orchestrator.store.job_version(job.id.clone(), version).await?;
        job.manifest = manifest.ok_or_else(|| {
            ApiError::not_found("version", &version.to_string(), "`skrei job versions` shows those there are")
        })?;
    }
    let accepted = api.orchestrator.rerun(job).await?;
    Ok(json(&RerunJobResponse {
        job_id: accepted.job.to_string(),
        job_version: accepted.version,
        evaluation_id: clock::random().map(uuid).unwrap_or_default(),
        warnings: None,
    }))
}
