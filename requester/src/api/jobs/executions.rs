//! `GET /orchestrator/jobs/{id}/executions` (reference 3.6).

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use serde::Deserialize;
use skrei_protocol::api::{List, execution::Execution};
use utoipa::IntoParams;

use super::results;
use crate::{
    api::{
        Api, error::ApiError, json, lookup, page::ExecutionsToken, query::Query, segment::Segment, told, wire,
    },
    store::{ExecutionQuery, StoredJob},
};

/// Executions in a page at most, also if no limit is asked for: what is listed is held in memory. One for each node of a
/// large fleet.
const PAGE_MAX: u32 = 10_000;

/// How executions are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct ListExecutions {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Which version; 0: the latest.
    #[param(maximum = 4_294_967_295_i64)]
    job_version: u32,
    /// Of all versions, unless `job_version` names one.
    all_job_versions: bool,
    /// Executions in a page; 0: as many as fit, at most 10,000.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// From the page before. It remembers version, order, direction and limit, and counts more than they do.
    next_token: String,
    /// `modified_at` or `modify_time`; by their creation otherwise.
    order_by: String,
    /// The last first.
    reverse: bool,
}

/// The executions of a job.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/executions", tag = "Jobs", operation_id = "listJobExecutions",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), ListExecutions),
    responses((status = 200, body = List<Execution>)))]
pub(in crate::api) async fn executions(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<ListExecutions>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let version = match (u64::from(asked.job_version), asked.all_job_versions) {
        (0, false) => job.version,
        (version, _) => version,
    };
    // Found by its id in another namespace than the one named: its executions are not of that namespace.
    if !asked.namespace.is_empty() && asked.namespace != job.manifest.namespace {
        return Ok(json(&List::<Execution>::whole(Vec::new())));
    }
    let (version, by_change, reverse, limit, after) = match asked.next_token.as_str() {
        "" => {
            let by_change = matches!(asked.order_by.as_str(), "modified_at" | "modify_time");
            (version, by_change, asked.reverse, asked.limit, None)
        }
        token => {
            let ExecutionsToken { version, by_change, reverse, limit, after } = ExecutionsToken::read(token)?;
            (version, by_change, reverse, limit, Some(after))
        }
    };
    let size = if limit == 0 { PAGE_MAX } else { limit.min(PAGE_MAX) };
    let query = ExecutionQuery { version, by_change, reverse, after, limit: size as usize };
    let origin = api.origin.of(&uri, &headers);
    Ok(json(&page(&api, &job, query, limit, &origin).await?))
}

/// A page of executions as it is shown. `asked` is the limit that the caller named.
pub(super) async fn page(
    api: &Api,
    job: &StoredJob,
    query: ExecutionQuery,
    asked: u32,
    origin: &str,
) -> Result<List<Execution>, ApiError> {
    let (version, by_change, reverse) = (query.version, query.by_change, query.reverse);
    let page = api.orchestrator.store.execution_page(job.id.clone(), query).await?;
    let published = results::published(api, &job.id, &page.executions, origin).await?;
    let mut items = wire::executions(job, &page.executions, &published);
    told::add(api, &job.id, &mut items);
    let token = |after| ExecutionsToken { version, by_change, reverse, limit: asked, after };
    let next = page.next.map(|after| token(after).write());
    Ok(List { next_token: next.unwrap_or_default(), items })
}

/// The first page of the executions of a version.
pub(super) async fn first_page(
    api: &Api,
    job: &StoredJob,
    version: u64,
    origin: &str,
) -> Result<List<Execution>, ApiError> {
    let query = ExecutionQuery { version, limit: PAGE_MAX as usize, ..ExecutionQuery::default() };
    page(api, job, query, 0, origin).await
}
