//! `GET /orchestrator/jobs/{id}/versions` (reference 3.11).

use axum::{
    extract::{Path, State},
    response::Response,
};
use skrei_protocol::api::List;

use crate::api::{Api, error::ApiError, json, lookup, query::Query, wire};

pub(in crate::api) async fn versions(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    let stored = api.orchestrator.store.job_versions(job.id.clone()).await?;
    let latest = job.version;
    let items = stored.into_iter().map(|(version, submitted, manifest)| {
        let mut shown = wire::job(job.clone());
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
