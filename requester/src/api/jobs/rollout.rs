//! `GET` and `PUT /orchestrator/jobs/{id}/rollout`: how far a job has come over its fleet, and steering it.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_protocol::api::{
    error::ErrorBody,
    rollout::{Action, Progress},
};
use skrei_scheduler::Steering;
use utoipa::ToSchema;

use crate::{
    api::{
        Api,
        body::Body,
        error::ApiError,
        json, lookup,
        query::{InNamespace, Query},
        segment::Segment,
        wire,
    },
    decide::Refused,
    store::StoredJob,
};

/// How far a job has come over its fleet.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/rollout", tag = "Jobs", operation_id = "getJobRollout",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), InNamespace),
    responses((status = 200, body = Progress)))]
pub(in crate::api) async fn progress(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<InNamespace>,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    answer(&api, job).await
}

/// Body of a steering.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::api) struct SteerSent {
    /// What is to become of the roll-out.
    #[schema(required, value_type = Action)]
    action: Option<Action>,
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
}

/// Pauses, resumes or aborts a roll-out; the answer is where it stands then.
#[utoipa::path(put, path = "/orchestrator/jobs/{id}/rollout", tag = "Jobs", operation_id = "steerJobRollout",
    params(("id" = String, Path, description = "Name, id or beginning of the id")),
    request_body = SteerSent, responses(
        (status = 200, body = Progress),
        (status = 409, description = "It has ended", body = ErrorBody)))]
pub(in crate::api) async fn steer(
    State(api): State<Api>,
    Segment(id): Segment,
    body: Body,
) -> Result<Response, ApiError> {
    let SteerSent { action, namespace } = body.read()?;
    let steering = match action {
        Some(Action::Pause) => Steering::Pause,
        Some(Action::Resume) => Steering::Resume,
        Some(Action::Abort) => Steering::Abort,
        None => {
            let message = "the body says what to do: {\"Action\": \"pause\"}, \"resume\" or \"abort\"";
            return Err(ApiError::bad_request(message));
        }
    };
    let job = lookup::job(&api, &namespace, &id).await?;
    match api.orchestrator.steer(job.id.clone(), steering).await {
        // The event loop has forgotten it: it ended, and the store knows how.
        Err(Refused::NoSuchJob(_)) => return Err(Refused::Ended { job: job.id, state: job.state }.into()),
        steered => steered?,
    }
    let job = lookup::job(&api, &namespace, &id).await?;
    answer(&api, job).await
}

async fn answer(api: &Api, job: StoredJob) -> Result<Response, ApiError> {
    let executions = api.orchestrator.store.executions(job.id.clone(), job.version).await?;
    Ok(json(&wire::progress(job, &executions)))
}
