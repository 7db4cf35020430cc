//! `GET` and `PUT /orchestrator/jobs/{id}/rollout`: how far a job has come over its fleet, and steering it.

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use skrei_protocol::api::rollout::{Action, SteerRequest};
use skrei_scheduler::Steering;

use crate::{
    api::{Api, error::ApiError, json, lookup, query::Query, wire},
    decide::Refused,
    store::StoredJob,
};

pub(in crate::api) async fn progress(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    answer(&api, job).await
}

pub(in crate::api) async fn steer(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    body: Bytes,
) -> Result<Response, ApiError> {
    let SteerRequest { action } = serde_json::from_slice(&body).map_err(|_| {
        ApiError::bad_request("the body says what to do: {\"Action\": \"pause\"}, \"resume\" or \"abort\"")
    })?;
    let steering = match action {
        Action::Pause => Steering::Pause,
        Action::Resume => Steering::Resume,
        Action::Abort => Steering::Abort,
    };
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    match api.orchestrator.steer(job.id.clone(), steering).await {
        // The event loop has forgotten it: it ended, and the store knows how.
        Err(Refused::NoSuchJob(_)) => return Err(Refused::Ended { job: job.id, state: job.state }.into()),
        steered => steered?,
    }
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    answer(&api, job).await
}

async fn answer(api: &Api, job: StoredJob) -> Result<Response, ApiError> {
    let executions = api.orchestrator.store.executions(job.id.clone(), job.version).await?;
    Ok(json(&wire::progress(job, &executions)))
}
