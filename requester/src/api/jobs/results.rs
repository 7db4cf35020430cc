//! `GET /orchestrator/jobs/{id}/results` (reference 3.7).

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use skrei_protocol::api::List;

use crate::api::{Api, error::ApiError, json, lookup, query::Query};

/// None yet: no publisher but `noop` is accepted with a job.
pub(in crate::api) async fn results(
    State(api): State<Api>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, ApiError> {
    lookup::job(&api, query.text("namespace"), &id).await?;
    Ok(json(&List::<Value>::whole(Vec::new())))
}
