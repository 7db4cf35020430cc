//! `PUT /orchestrator/jobs/{id}/rerun` (reference 3.10).

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::life::JobState;
use skrei_protocol::api::{error::ErrorBody, job::RerunJobResponse};
use utoipa::ToSchema;

use super::{
    stop::REASON_MAX_CHARS,
    submit::{require_artifacts, uuid},
};
use crate::{
    api::{Api, body::Body, error::ApiError, json, lookup, segment::Segment},
    clock,
    decide::Refused,
};

/// Body of a rerun.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::api) struct RerunSent {
    /// Which version is to run again; 0: the latest.
    job_version: u64,
    /// Why.
    reason: String,
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
}

/// Runs a version of a job again, as a new version.
#[utoipa::path(put, path = "/orchestrator/jobs/{id}/rerun", tag = "Jobs", operation_id = "rerunJob",
    params(("id" = String, Path, description = "Name, id or beginning of the id")),
    request_body = Option<RerunSent>, responses(
        (status = 200, body = RerunJobResponse),
        (status = 409, description = "It has not begun to run", body = ErrorBody)))]
pub(in crate::api) async fn rerun(
    State(api): State<Api>,
    Segment(id): Segment,
    body: Body,
) -> Result<Response, ApiError> {
    let RerunSent { job_version: version, reason, namespace } = body.read()?;
    let reason = reason.chars().take(REASON_MAX_CHARS).collect();
    let mut job = lookup::job(&api, &namespace, &id).await?;
    if matches!(job.state, JobState::Pending | JobState::Queued) {
        return Err(Refused::NotBegun { job: job.id, state: job.state }.into());
    }
    if version != 0 && version != job.version {
        let manifest = api.orchestrator.store.job_version(job.id.clone(), version).await?;
        job.manifest = manifest.ok_or_else(|| {
            ApiError::not_found("version", &version.to_string(), "`skrei job versions` shows those there are")
        })?;
    }
    require_artifacts(&api, &job.manifest).await?;
    let accepted = api.orchestrator.rerun(job, reason).await?;
    Ok(json(&RerunJobResponse {
        job_id: accepted.job.to_string(),
        job_version: accepted.version,
        evaluation_id: clock::random().map(uuid).unwrap_or_default(),
        warnings: None,
    }))
}
