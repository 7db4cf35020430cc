//! `GET /orchestrator/jobs/{id}/versions` (reference 3.11).

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_protocol::api::{List, job::Job};
use utoipa::IntoParams;

use crate::api::{
    Api,
    error::ApiError,
    json, lookup,
    page::{read_version_token, version_token},
    query::Query,
    segment::Segment,
    wire,
};

/// Versions in a page at most, also if no limit is asked for.
const PAGE_MAX: u32 = 1000;

/// How versions are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct ListVersions {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Versions in a page; 0: as many as fit, at most 1,000.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// From the page before.
    next_token: String,
}

/// Every version of a job, the first one first.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/versions", tag = "Jobs", operation_id = "listJobVersions",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), ListVersions),
    responses((status = 200, body = List<Job>)))]
pub(in crate::api) async fn versions(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<ListVersions>,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let limit = if asked.limit == 0 { PAGE_MAX } else { asked.limit.min(PAGE_MAX) };
    let after = read_version_token(&asked.next_token)?;
    let page = api.orchestrator.store.job_versions(job.id.clone(), after, limit as usize).await?;
    let last = page.versions.last().filter(|_| page.more).map(|last| version_token(last.version));
    let items = page.versions.into_iter().map(|version| wire::job(&api, job.clone().at(version)));
    Ok(json(&List { next_token: last.unwrap_or_default(), items: items.collect() }))
}
