//! `GET /orchestrator/jobs/{id}/versions` (reference 3.11).

use axum::{extract::State, response::Response};
use skrei_protocol::api::{List, job::Job};

use crate::api::{
    Api,
    error::ApiError,
    json, lookup,
    query::{InNamespace, Query},
    segment::Segment,
    wire,
};

/// Every version of a job, the first one first.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/versions", tag = "Jobs", operation_id = "listJobVersions",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), InNamespace),
    responses((status = 200, body = List<Job>)))]
pub(in crate::api) async fn versions(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<InNamespace>,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let stored = api.orchestrator.store.job_versions(job.id.clone()).await?;
    let latest = job.version;
    let items = stored.into_iter().map(|(version, submitted, manifest)| {
        let mut shown = wire::job(&api, job.clone());
        shown.manifest = manifest;
        shown.version = version;
        // Clients show it as the time the version was made.
        shown.modify_time = submitted.as_nanos();
        if version < latest {
            shown.state.message = "replaced by a later version".to_owned();
        }
        shown
    });
    Ok(json(&List::whole(items.collect())))
}
