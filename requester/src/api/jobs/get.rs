//! `GET /orchestrator/jobs/{id}` (reference 3.4).

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use serde::Deserialize;
use skrei_protocol::api::{List, job::GetJobResponse};
use utoipa::IntoParams;

use super::executions;
use crate::{
    api::{Api, error::ApiError, json, lookup, query::Query, segment::Segment, wire},
    store::HistoryQuery,
};

/// History entries included at most (reference 3.4).
const HISTORY_INCLUDED: usize = 100;

/// How a job is read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct GetJob {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Which version; 0: the latest.
    #[param(maximum = 4_294_967_295_i64)]
    job_version: u32,
    /// Any of `history`, `executions`, `progress`, with commas between them.
    include: String,
    /// Taken, and without a meaning.
    #[param(maximum = 4_294_967_295_i64)]
    #[serde(rename = "limit")]
    _limit: u32,
}

/// A job by name, id or the beginning of its id.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}", tag = "Jobs", operation_id = "getJob",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), GetJob),
    responses((status = 200, body = GetJobResponse)))]
pub(in crate::api) async fn get(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<GetJob>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut job = lookup::job(&api, &asked.namespace, &id).await?;
    let store = &api.orchestrator.store;
    let version = match u64::from(asked.job_version) {
        0 => job.version,
        version if version == job.version => version,
        version => {
            let found = store.job_version(job.id.clone(), version).await?;
            let hint = "leave job_version out for the latest";
            job = job.at(found.ok_or_else(|| ApiError::not_found("version", &version.to_string(), hint))?);
            version
        }
    };
    let include: Vec<String> =
        asked.include.split(',').map(|part| part.trim().to_ascii_lowercase()).collect();
    let wants = |what: &str| include.iter().any(|part| part == what);
    let mut answer =
        GetJobResponse { job: wire::job(&api, job.clone()), history: None, executions: None, progress: None };
    if wants("history") {
        let limit = HISTORY_INCLUDED;
        let page =
            store.history(job.id.clone(), HistoryQuery { version, limit, ..HistoryQuery::default() }).await?;
        answer.history = Some(List::whole(wire::entries(&page.entries, &headers)));
    }
    if wants("executions") {
        let origin = api.origin.of(&uri, &headers);
        answer.executions = Some(executions::first_page(&api, &job, version, &origin).await?);
    }
    if wants("progress") {
        let executions = store.executions(job.id.clone(), job.version).await?;
        answer.progress = Some(wire::progress(job, &executions));
    }
    Ok(json(&answer))
}
