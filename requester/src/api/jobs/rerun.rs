//! `PUT /orchestrator/jobs/{id}/rerun` (reference 3.10).

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::{EvaluationId, life::JobState};
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    job::RerunJobResponse,
};
use skrei_scheduler::{Only, Rerun, Tally};
use utoipa::ToSchema;

use super::{stop::REASON_MAX_CHARS, submit::require_artifacts};
use crate::{
    api::{Api, body::Body, error::ApiError, json, lookup, segment::Segment},
    decide::Refused,
    store::StoredJob,
};

/// Body of a rerun.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::api) struct RerunSent {
    /// Which version is to run again; 0: the latest.
    job_version: u64,
    /// Why.
    reason: String,
    /// Only what failed, was refused or given up in the latest version.
    failed: bool,
    /// Only what the latest version never started.
    missed: bool,
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
}

/// Runs a version of a job again, as a new version.
#[utoipa::path(put, path = "/orchestrator/jobs/{id}/rerun", tag = "Jobs", operation_id = "rerunJob",
    params(("id" = String, Path, description = "Name, id or beginning of the id")),
    request_body = Option<RerunSent>, responses(
        (status = 200, body = RerunJobResponse),
        (status = 409, description = "It has not begun to run, or left nothing of that kind undone", body = ErrorBody)))]
pub(in crate::api) async fn rerun(
    State(api): State<Api>,
    Segment(id): Segment,
    body: Body,
) -> Result<Response, ApiError> {
    let RerunSent { job_version: version, reason, failed, missed, namespace } = body.read()?;
    let reason = reason.chars().take(REASON_MAX_CHARS).collect();
    let mut job = lookup::job(&api, &namespace, &id).await?;
    if matches!(job.state, JobState::Pending | JobState::Queued) {
        return Err(Refused::NotBegun { job: job.id, state: job.state }.into());
    }
    if version != 0 && version != job.version {
        if failed || missed {
            let message = format!(
                "what version {version} of job `{}` left undone is not known: `Failed` and `Missed` are about the \
                 latest, which is {}",
                job.id, job.version
            );
            let hint = "leave the version out, or run all of it again";
            return Err(ErrorBody::new(Code::BadRequest, message).hint(hint).into());
        }
        let found = api.orchestrator.store.job_version(job.id.clone(), version).await?;
        let hint = "`skrei job versions` shows those there are";
        let found = found.ok_or_else(|| ApiError::not_found("version", &version.to_string(), hint))?;
        job.manifest = found.manifest;
    }
    require_artifacts(&api, &job.manifest).await?;
    let only = match (failed, missed) {
        (false, false) => Only::default(),
        (failed, missed) => left(&api, &job, failed, missed).await?,
    };
    let accepted = api.orchestrator.rerun(job, Rerun { reason, only }).await?;
    Ok(json(&RerunJobResponse {
        job_id: accepted.job.to_string(),
        job_version: accepted.version,
        evaluation_id: EvaluationId::derive(&accepted.job, accepted.version).to_string(),
        warnings: None,
    }))
}

/// What the latest version did not do.
async fn left(api: &Api, stored: &StoredJob, failed: bool, missed: bool) -> Result<Only, ApiError> {
    if !stored.state.is_terminal() {
        let message = format!(
            "job `{}` is {}: what it does not do will be known when it has ended",
            stored.id,
            stored.state.as_str()
        );
        return Err(ErrorBody::new(Code::ConflictJobState, message)
            .hint("wait for it, or stop it first")
            .into());
    }
    let executions = api.orchestrator.store.executions(stored.id.clone(), stored.version).await?;
    let left = stored
        .clone()
        .into_job()
        .map(|job| Tally::left(job.spec.kind(), &executions, &job.progress, failed, missed))
        .unwrap_or_default();
    if left.is_everything() {
        let message = format!("job `{}` left nothing of that kind undone", stored.id);
        let hint = "`skrei job describe` shows what each node did; without --failed and --missed all of it runs again";
        return Err(ErrorBody::new(Code::NoChanges, message).hint(hint).into());
    }
    Ok(left)
}
