//! `GET /orchestrator/jobs/{id}` (reference 3.4).

use axum::{
    extract::{Path, State},
    http::{HeaderMap, Uri},
    response::Response,
};
use skrei_protocol::api::{List, job::GetJobResponse};

use super::results;
use crate::{
    api::{Api, error::ApiError, json, lookup, query::Query, wire},
    store::HistoryQuery,
};

/// History entries included at most (reference 3.4).
const HISTORY_INCLUDED: usize = 100;

pub(in crate::api) async fn get(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let mut job = lookup::job(&api, query.text("namespace"), &id).await?;
    let store = &api.orchestrator.store;
    let version = match query.number("job_version")? {
        0 => job.version,
        version if version == job.version => version,
        version => {
            let manifest = store.job_version(job.id.clone(), version).await?;
            job.manifest = manifest.ok_or_else(|| {
                ApiError::not_found("version", &version.to_string(), "leave job_version out for the latest")
            })?;
            job.version = version;
            version
        }
    };
    let include: Vec<String> =
        query.text("include").split(',').map(|part| part.trim().to_ascii_lowercase()).collect();
    let wants = |what: &str| include.iter().any(|part| part == what);
    let mut answer =
        GetJobResponse { job: wire::job(job.clone()), history: None, executions: None, progress: None };
    if wants("history") {
        let limit = HISTORY_INCLUDED;
        let page =
            store.history(job.id.clone(), HistoryQuery { version, limit, ..HistoryQuery::default() }).await?;
        answer.history = Some(List::whole(page.entries.iter().map(wire::entry).collect()));
    }
    if wants("executions") {
        let executions = store.executions(job.id.clone(), version).await?;
        let published =
            results::published(&api, &job.id, &executions, &api.origin.of(&uri, &headers)).await?;
        answer.executions = Some(List::whole(wire::executions(&job, &executions, &published)));
    }
    if wants("progress") {
        let executions = store.executions(job.id.clone(), job.version).await?;
        answer.progress = Some(wire::progress(job, &executions));
    }
    Ok(json(&answer))
}
