//! `GET /orchestrator/jobs/{id}/executions` (reference 3.6).

use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use skrei_protocol::api::List;

use super::results;
use crate::api::{Api, error::ApiError, json, lookup, query::Query, wire};

pub(in crate::api) async fn executions(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    let version = match (query.number("job_version")?, query.flag("all_job_versions")?) {
        (0, false) => job.version,
        (version, _) => version,
    };
    let executions = api.orchestrator.store.executions(job.id.clone(), version).await?;
    let published = results::published(&api, &job.id, &executions, &api.origin.of(&uri, &headers)).await?;
    let mut items = wire::executions(&job, &executions, &published);
    if matches!(query.text("order_by"), "modified_at" | "modify_time") {
        items.sort_by_key(|execution| execution.modify_time);
    }
    if query.flag("reverse")? {
        items.reverse();
    }
    match query.number("limit")? {
        0 => {}
        limit => items.truncate(usize::try_from(limit).unwrap_or(usize::MAX)),
    }
    Ok(json(&List::whole(items)))
}
