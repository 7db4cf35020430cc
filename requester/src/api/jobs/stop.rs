//! `DELETE /orchestrator/jobs/{id}` (reference 3.8).

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::{EvaluationId, life::JobState};
use skrei_protocol::api::{error::ErrorBody, job::StopJobResponse};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{Api, body::Body, error::ApiError, json, lookup, query::Query, segment::Segment},
    decide::{Refused, Stopped},
};

/// Longest reason kept.
pub(super) const REASON_MAX_CHARS: usize = 1000;

/// Which job is stopped, and why: in the query or the body, depending on the client. The body counts more.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct StopJob {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Shown as the job's message.
    reason: String,
}

/// The same in the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(in crate::api) struct StopSent {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    #[serde(rename = "Namespace")]
    namespace: String,
    /// Shown as the job's message.
    reason: String,
}

/// Stops a job.
#[utoipa::path(delete, path = "/orchestrator/jobs/{id}", tag = "Jobs", operation_id = "stopJob",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), StopJob),
    request_body = Option<StopSent>, responses(
        (status = 200, body = StopJobResponse),
        (status = 409, description = "It has ended", body = ErrorBody)))]
pub(in crate::api) async fn stop(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<StopJob>,
    body: Body,
) -> Result<Response, ApiError> {
    let sent: StopSent = body.read()?;
    let first = |texts: [String; 2]| texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    let job = lookup::job(&api, &first([sent.namespace, asked.namespace]), &id).await?;
    let reason = first([sent.reason, asked.reason]);
    let reason = if reason.is_empty() { "stopped by request" } else { &reason };
    let reason = reason.chars().take(REASON_MAX_CHARS).collect();
    let evaluation = EvaluationId::derive(&job.id, job.version);
    let stopped = match api.orchestrator.stop(job.id.clone(), reason).await {
        // The event loop has forgotten it: it ended, and the store knows how.
        Err(Refused::NoSuchJob(_)) if job.state == JobState::Stopped => Stopped::Already,
        Err(Refused::NoSuchJob(_)) => return Err(Refused::Ended { job: job.id, state: job.state }.into()),
        outcome => outcome?,
    };
    let evaluation_id = match stopped {
        Stopped::Already => String::new(),
        Stopped::Now => evaluation.to_string(),
    };
    Ok(json(&StopJobResponse { evaluation_id }))
}
