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
use crate::api::{Api, error::ApiError, json, lookup, query::Query, segment::Segment, told, wire};

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
    /// Executions listed; 0: all.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
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
    let mut items = Vec::new();
    // Found by its id in another namespace than the one named: its executions are not of that namespace.
    if asked.namespace.is_empty() || asked.namespace == job.manifest.namespace {
        let executions = api.orchestrator.store.executions(job.id.clone(), version).await?;
        let published =
            results::published(&api, &job.id, &executions, &api.origin.of(&uri, &headers)).await?;
        items = wire::executions(&job, &executions, &published);
        told::add(&api, &job.id, &mut items);
    }
    if matches!(asked.order_by.as_str(), "modified_at" | "modify_time") {
        items.sort_by_key(|execution| execution.modify_time);
    }
    if asked.reverse {
        items.reverse();
    }
    if asked.limit > 0 {
        items.truncate(asked.limit as usize);
    }
    Ok(json(&List::whole(items)))
}
