//! `GET /orchestrator/jobs/{id}/secrets`: what the latest version of a job may have.

use std::collections::BTreeSet;

use axum::{extract::State, response::Response};
use skrei_job::{NodeId, secret::SealedByClient};
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

/// Why what came with a version is not there.
const REMOVED: &str = "removed when the version had ended";

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
    let waiting = api.orchestrator.waiting.for_job(&job.id);
    let (grants, stored) = api.orchestrator.store.granted(job.id, version, namespace).await?;
    let items = grants.into_iter().map(|mut grant| match (grant.given, grant.sealed.take()) {
        (true, Some(envelopes)) => sealed(grant, version, &envelopes, &waiting),
        (true, None) => given(grant, version),
        (false, _) => {
            let secret = stored.iter().find(|secret| secret.name == grant.name);
            of_namespace(grant, version, secret)
        }
    });
    Ok(json(&ListGrantsResponse { items: items.collect() }))
}

/// What the orchestrator knows of a secret that it cannot open: for whom it was sealed, and who waits for that.
fn sealed(
    grant: scheduler::Grant,
    job_version: u64,
    envelopes: &[SealedByClient],
    waiting: &BTreeSet<NodeId>,
) -> Grant {
    let removed = if envelopes.is_empty() { REMOVED.to_owned() } else { String::new() };
    let nodes: BTreeSet<&NodeId> = envelopes.iter().flat_map(|envelope| envelope.keys.keys()).collect();
    let waits = |node: &&NodeId| !nodes.contains(node) && removed.is_empty();
    Grant {
        origin: Origin::Sealed,
        sealed_for: nodes.iter().map(ToString::to_string).collect(),
        waiting: waiting.iter().filter(waits).map(ToString::to_string).collect(),
        set_time: grant.at.as_nanos(),
        name: grant.name,
        job_version,
        fingerprint: String::new(),
        removed,
    }
}

fn given(grant: scheduler::Grant, job_version: u64) -> Grant {
    let removed = match grant.locked {
        Some(_) => String::new(),
        None => REMOVED.to_owned(),
    };
    Grant {
        name: grant.name,
        job_version,
        origin: Origin::Given,
        fingerprint: short(&grant.fingerprint),
        set_time: grant.at.as_nanos(),
        removed,
        sealed_for: Vec::new(),
        waiting: Vec::new(),
    }
}

fn of_namespace(grant: scheduler::Grant, job_version: u64, secret: Option<&StoredSecret>) -> Grant {
    let (fingerprint, set_time, removed) = match secret {
        Some(secret) => (short(&secret.fingerprint), secret.modified.as_nanos(), String::new()),
        None => (String::new(), 0, "removed from the namespace".to_owned()),
    };
    Grant {
        name: grant.name,
        job_version,
        origin: Origin::Stored,
        fingerprint,
        set_time,
        removed,
        sealed_for: Vec::new(),
        waiting: Vec::new(),
    }
}
