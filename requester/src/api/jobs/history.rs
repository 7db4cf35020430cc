//! `GET /orchestrator/jobs/{id}/history` (reference 3.5).

use axum::{
    extract::{Path, State},
    response::Response,
};
use skrei_protocol::api::List;

use crate::{
    api::{
        Api,
        error::ApiError,
        json, lookup,
        page::{history_token, read_history_token},
        query::Query,
        wire,
    },
    store::HistoryQuery,
};

/// Entries in a page when the caller does not say (reference 2.4).
const PAGE: usize = 100;

pub(in crate::api) async fn history(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, query.text("namespace"), &id).await?;
    let executions = match query.text("event_type") {
        "" | "all" => None,
        "job" => Some(false),
        "execution" => Some(true),
        other => {
            let message = format!("`event_type` is `all`, `job` or `execution`, not `{other}`");
            return Err(ApiError::bad_request(message));
        }
    };
    let version = match (query.number("job_version")?, query.flag("all_job_versions")?) {
        (0, false) => job.version,
        (version, _) => version,
    };
    let limit = match query.number("limit")? {
        0 => PAGE,
        limit => usize::try_from(limit).unwrap_or(usize::MAX),
    };
    let after = read_history_token(query.text("next_token"))?;
    let execution = query.text("execution_id").to_owned();
    // Read after the job: a token is given while the state read *before* was not terminal, so that a job that
    // ends in between is asked about once more rather than once too few.
    let wanted = HistoryQuery { after, version, executions, execution, limit };
    let page = api.orchestrator.store.history(job.id.clone(), wanted).await?;
    let more = page.more || !job.state.is_terminal();
    let next_token = if more { history_token(page.seen) } else { String::new() };
    Ok(json(&List { next_token, items: page.entries.iter().map(wire::entry).collect() }))
}
