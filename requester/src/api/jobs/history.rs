//! `GET /orchestrator/jobs/{id}/history` (reference 3.5).

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Deserialize;
use skrei_job::Timestamp;
use skrei_protocol::api::{List, history::HistoryEntry};
use utoipa::IntoParams;

use crate::{
    api::{
        Api,
        error::ApiError,
        json, lookup,
        page::{history_token, read_history_token},
        query::Query,
        segment::Segment,
        wire,
    },
    store::{HistoryQuery, StoredJob},
};

/// Entries in a page when the caller does not say (reference 2.4).
const PAGE: usize = 100;

/// Entries in a page at most.
const PAGE_MAX: usize = 1000;

/// The last second of the year 9999.
const SINCE_MAX: u64 = 253_402_300_799;

/// How a history is read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct GetHistory {
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Entries from this time on, in seconds since the epoch.
    #[param(maximum = 253_402_300_799_i64)]
    since: u64,
    /// Of which level. Default: `all`.
    #[param(inline)]
    event_type: Option<Levels>,
    /// Entries of one execution alone, by its id or the beginning of it.
    execution_id: String,
    /// Entries in a page; 0: 100. At most 1,000.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// From the page before. Given as long as the job may add entries: ask again with it to follow.
    next_token: String,
    /// Which version; 0: the latest.
    #[param(maximum = 4_294_967_295_i64)]
    job_version: u32,
    /// Of all versions, unless `job_version` names one.
    all_job_versions: bool,
}

/// Which entries of a history.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Levels {
    All,
    Job,
    Execution,
}

/// What happened to a job, oldest first.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/history", tag = "Jobs", operation_id = "getJobHistory",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), GetHistory),
    responses((status = 200, body = List<HistoryEntry>)))]
pub(in crate::api) async fn history(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<GetHistory>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let executions = match asked.event_type {
        None | Some(Levels::All) => None,
        Some(Levels::Job) => Some(false),
        Some(Levels::Execution) => Some(true),
    };
    let version = match (u64::from(asked.job_version), asked.all_job_versions) {
        (0, false) => job.version,
        (version, _) => version,
    };
    let limit = if asked.limit == 0 { PAGE } else { (asked.limit as usize).min(PAGE_MAX) };
    let after = read_history_token(&asked.next_token)?;
    // Read after the job: a token is given while the state read *before* was not terminal, so that a job that
    // ends in between is asked about once more rather than once too few.
    let goes_on = match asked.execution_id.as_str() {
        "" => !job.state.is_terminal(),
        execution => !has_ended(&api, &job, execution).await?,
    };
    if asked.since > SINCE_MAX {
        return Err(ApiError::bad_request("`since` is seconds since the epoch, before the year 10000"));
    }
    let since = Timestamp::from_seconds(asked.since);
    let execution = asked.execution_id;
    let wanted = HistoryQuery { after, version, executions, execution, since, limit };
    let page = api.orchestrator.store.history(job.id.clone(), wanted).await?;
    let next_token = if page.more || goes_on { history_token(page.seen) } else { String::new() };
    Ok(json(&List { next_token, items: wire::entries(&page.entries, &headers) }))
}

/// Whether the execution with this id, or this beginning of one, is over.
async fn has_ended(api: &Api, job: &StoredJob, execution: &str) -> Result<bool, ApiError> {
    let called = api.orchestrator.store.executions_called(job.id.clone(), 0, execution.to_owned()).await?;
    match called.as_slice() {
        // A caller that follows would ask about it for as long as the job lives.
        [] => Err(ApiError::not_found("execution", execution, "`skrei job executions` shows them")),
        [one] => Ok(one.state.is_terminal()),
        // Of several the history goes on as long as their job does.
        _ => Ok(job.state.is_terminal()),
    }
}
