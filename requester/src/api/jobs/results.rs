//! `GET /orchestrator/jobs/{id}/results` (reference 3.7).

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use skrei_job::{ExecutionId, JobId, life::Execution, outcome::Published};
use skrei_protocol::api::{BASE, List, execution::PublishedResult};

use crate::{
    api::{
        Api,
        error::ApiError,
        json, lookup,
        query::{InNamespace, Query},
        results::RESULTS_PATH,
        segment::Segment,
    },
    results::Name,
};

/// Where the results of a job are: those of its latest version, in the order of its executions.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/results", tag = "Jobs", operation_id = "listJobResults",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), InNamespace),
    responses((status = 200, body = List<PublishedResult>)))]
pub(in crate::api) async fn results(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<InNamespace>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let executions = api.orchestrator.store.executions(job.id.clone(), job.version).await?;
    let mut published = published(&api, &job.id, &executions, &api.origin.of(&uri, &headers)).await?;
    let items = executions.iter().filter_map(|execution| published.remove(&execution.id)).collect();
    Ok(json(&List::<PublishedResult>::whole(items)))
}

/// Where the results of these executions are, as far as they are still there. `origin` is what the client calls us by.
pub(super) async fn published(
    api: &Api,
    job: &JobId,
    executions: &[Execution],
    origin: &str,
) -> Result<BTreeMap<ExecutionId, PublishedResult>, ApiError> {
    let places = executions.iter().filter_map(|execution| {
        let place = execution.state.output()?.published.as_ref()?;
        Some((&execution.id, place))
    });
    let places: Vec<_> = places.collect();
    if places.is_empty() {
        return Ok(BTreeMap::new());
    }
    let held = api.orchestrator.store.results_of(job.clone()).await?;
    let shown = |(execution, place): (&ExecutionId, &Published)| {
        let shown = match place {
            Published::Orchestrator { digest, .. } => {
                let held = held.get(execution).filter(|held| held.digest == *digest)?;
                let url = format!("{origin}{BASE}{RESULTS_PATH}/{}", Name::of(held));
                PublishedResult::url_download(&url)
            }
        };
        Some((execution.clone(), shown))
    };
    Ok(places.into_iter().filter_map(shown).collect())
}
