//! `GET /orchestrator/jobs/{id}/secrets`: what the latest version of a job may have.

use axum::{extract::State, response::Response};
use skrei_protocol::api::secret::{Grant, ListGrantsResponse, Origin};
use skrei_scheduler as scheduler;

use super::short;
use crate::{
    api::{
        Api,
        error::ApiError,
        json, lookup,
        query::{InNamespace, Query},
        segment::Segment,
    },
    store::StoredSecret,
};

/// The secrets that the latest version of a job may have: names and fingerprints.
#[utoipa::path(get, path = "/orchestrator/jobs/{id}/secrets", tag = "Jobs", operation_id = "listJobSecrets",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), InNamespace),
    responses((status = 200, body = ListGrantsResponse)))]
pub(in crate::api) async fn grants(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<InNamespace>,
) -> Result<Response, ApiError> {
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let (version, namespace) = (job.version, job.manifest.namespace);
    let (grants, stored) = api.orchestrator.store.granted(job.id, version, namespace).await?;
    let items = grants.into_iter().map(|grant| match grant.given {
        true => given(grant, version),
        false => {
            let secret = stored.iter().find(|secret| secret.name == grant.name);
            of_namespace(grant, version, secret)
        }
    });
    Ok(json(&ListGrantsResponse { items: items.collect() }))
}

fn given(grant: scheduler::Grant, job_version: u64) -> Grant {
    let removed = match grant.locked {
        Some(_) => String::new(),
        None => "removed when the version had ended".to_owned(),
    };
    Grant {
        name: grant.name,
        job_version,
        origin: Origin::Given,
        fingerprint: short(&grant.fingerprint),
        set_time: grant.at.as_nanos(),
        removed,
    }
}

fn of_namespace(grant: scheduler::Grant, job_version: u64, secret: Option<&StoredSecret>) -> Grant {
    let (fingerprint, set_time, removed) = match secret {
        Some(secret) => (short(&secret.fingerprint), secret.modified.as_nanos(), String::new()),
        None => (String::new(), 0, "removed from the namespace".to_owned()),
    };
    Grant { name: grant.name, job_version, origin: Origin::Stored, fingerprint, set_time, removed }
}
