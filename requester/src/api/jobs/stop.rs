//! `DELETE /orchestrator/jobs/{id}` (reference 3.8).

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use skrei_job::life::JobState;
use skrei_protocol::api::job::StopJobResponse;

use super::submit::{any_case, uuid};
use crate::{
    api::{Api, error::ApiError, json, lookup, query::Query},
    clock,
    decide::{Refused, Stopped},
};

/// Longest reason kept.
const REASON_MAX_CHARS: usize = 1000;

pub(in crate::api) async fn stop(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    body: Bytes,
) -> Result<Response, ApiError> {
    // The reason comes in the body or the query, depending on the client.
    let body: Value = match body.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&body)
            .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?,
    };
    let in_body = |name| body.as_object().and_then(|body| any_case(body, name)).and_then(Value::as_str);
    let namespace = in_body("namespace").filter(|namespace| !namespace.is_empty());
    let job = lookup::job(&api, namespace.unwrap_or(query.text("namespace")), &id).await?;
    let reason = in_body("reason").filter(|reason| !reason.is_empty()).unwrap_or(query.text("reason"));
    let reason = if reason.is_empty() { "stopped by request" } else { reason };
    let reason = reason.chars().take(REASON_MAX_CHARS).collect();
    let stopped = match api.orchestrator.stop(job.id.clone(), reason).await {
        // The event loop has forgotten it: it ended, and the store knows how.
        Err(Refused::NoSuchJob(_)) if job.state == JobState::Stopped => Stopped::Already,
        Err(Refused::NoSuchJob(_)) => return Err(Refused::Ended { job: job.id, state: job.state }.into()),
        outcome => outcome?,
    };
    let evaluation_id = match stopped {
        Stopped::Already => String::new(),
        Stopped::Now => clock::random().map(uuid).unwrap_or_default(),
    };
    Ok(json(&StopJobResponse { evaluation_id }))
}
