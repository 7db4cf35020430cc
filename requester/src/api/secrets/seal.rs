//! `PUT /orchestrator/jobs/{id}/secrets`: secrets that were sealed to more nodes, after the job was submitted.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::secret::SealedByClient;
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    secret::SealResponse,
};
use utoipa::ToSchema;

use super::{envelopes, envelopes_sent};
use crate::{
    api::{
        Api,
        body::Body,
        error::ApiError,
        guard::Subject,
        json, lookup,
        query::{InNamespace, Query},
        segment::Segment,
    },
    secrets::deliver_sealed,
    store::NotAdded,
};

/// What was sealed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::api) struct Sent {
    /// By the names of the secrets.
    #[schema(required)]
    #[serde(deserialize_with = "envelopes_sent")]
    sealed_secrets: BTreeMap<String, SealedByClient>,
}

/// Adds what was sealed to more nodes to what the latest version of a job was given so. Nodes that wait for it get it.
#[utoipa::path(put, path = "/orchestrator/jobs/{id}/secrets", tag = "Jobs", operation_id = "sealJobSecrets",
    params(("id" = String, Path, description = "Name, id or beginning of the id"), InNamespace),
    request_body = Sent, responses((status = 200, body = SealResponse)))]
pub(in crate::api) async fn seal(
    State(api): State<Api>,
    Segment(id): Segment,
    Query(asked): Query<InNamespace>,
    body: Body,
) -> Result<Response, ApiError> {
    let Sent { sealed_secrets } = body.read()?;
    let envelopes = envelopes(sealed_secrets)?;
    if envelopes.is_empty() {
        return Err(ApiError::bad_request("the body has no `SealedSecrets`"));
    }
    let job = lookup::job(&api, &asked.namespace, &id).await?;
    let orchestrator = &api.orchestrator;
    orchestrator.store.add_sealed(job.id.clone(), job.version, envelopes).await?.map_err(not_added)?;
    // Whether or not whoever asked waits for the answer: nodes wait for theirs, and it is their only one.
    let (orchestrator, id) = (Arc::clone(orchestrator), job.id.clone());
    let delivered = tokio::spawn(async move { deliver_sealed(&orchestrator, &id).await });
    delivered.await.map_err(|_| ApiError::broken())?;
    Ok(Subject(job.id.to_string()).of(json(&SealResponse { job_version: job.version })))
}

fn not_added(fault: NotAdded) -> ApiError {
    let (code, hint) = match &fault {
        NotAdded::NotSealed(_) => (
            Code::ValidationError,
            "submit the job with --seal-to-nodes; `skrei job describe` shows how it was given",
        ),
        NotAdded::TooMany(_) => (Code::ResourceExhausted, "seal it for all nodes at once"),
        NotAdded::TooLarge(_) => {
            (Code::ResourceExhausted, "seal it for the nodes alone that match the job, all at once")
        }
    };
    ErrorBody::new(code, fault.to_string()).hint(hint).into()
}
