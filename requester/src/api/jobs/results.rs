//! `GET /orchestrator/jobs/{id}/results` (reference 3.7).

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_store::{path::Path as ObjectPath, signer::Signer as _};
use skrei_bucket::Intent;
use skrei_job::{
    Digest, ExecutionId, JobId, Spec, life::Execution, objects::Bucket, outcome::Published, spec::Publisher,
};
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
    store::StoredJob,
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
    let mut items = Vec::new();
    for execution in &executions {
        let Some(item) = published.remove(&execution.id) else { continue };
        let place = execution.state.output().and_then(|output| output.published.as_ref());
        items.push(match place {
            Some(place) if is_of_job(&job, execution, place) => signed(&api, item, place).await,
            _ => item,
        });
    }
    Ok(json(&List::<PublishedResult>::whole(items)))
}

/// Whether results are where their job wants them. A node says where it put them, and may say anything: what the job does
/// not name is not opened with our credentials.
fn is_of_job(job: &StoredJob, execution: &Execution, place: &Published) -> bool {
    let Published::Bucket { bucket, key, .. } = place else { return true };
    let Ok(spec) = Spec::try_from(job.manifest.clone()) else { return false };
    let Publisher::Bucket(publication) = &spec.task().publisher else { return false };
    let is_said = |said: &Option<String>, found: &Option<String>| said.is_none() || said == found;
    let wanted = &publication.bucket;
    wanted.name == bucket.name
        && is_said(&wanted.region, &bucket.region)
        && is_said(&endpoint(wanted), &endpoint(bucket))
        && publication.may_be_key((&job.id, &execution.id, &execution.node), key)
}

fn endpoint(bucket: &Bucket) -> Option<String> {
    bucket.endpoint.as_ref().map(|url| url.trim_end_matches('/').to_owned())
}

/// An archive in a bucket gets a URL that is signed for a while, if we may sign for it. Only here (reference 3.7).
async fn signed(api: &Api, item: PublishedResult, place: &Published) -> PublishedResult {
    let config = &api.orchestrator.config;
    let (Published::Bucket { bucket, key, .. }, Some(signed_for)) = (place, config.signed_for) else {
        return item;
    };
    if !key.ends_with(".tar.gz") {
        return item;
    }
    let opened = match config.buckets.open(bucket, Intent::Sign, None) {
        Ok(opened) => opened,
        Err(denied) => {
            tracing::debug!(%denied, "results in a bucket are shown without a signed URL");
            return item;
        }
    };
    match opened.signed_url(Method::GET, &ObjectPath::from(key.as_str()), signed_for).await {
        Ok(url) => item.signed(url.as_str()),
        Err(error) => {
            tracing::warn!(%error, "a URL cannot be signed");
            item
        }
    }
}

/// As S3 writes checksums.
fn base64(digest: &Digest) -> String {
    STANDARD.encode(digest.as_bytes())
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
            Published::Bucket { bucket, key, digest, version } => {
                let digest = digest.as_ref().map(base64);
                PublishedResult::bucket(bucket, key, digest.as_deref(), version.as_deref())
            }
        };
        Some((execution.clone(), shown))
    };
    Ok(places.into_iter().filter_map(shown).collect())
}
