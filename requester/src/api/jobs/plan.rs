//! `PUT /orchestrator/jobs/plan`: which nodes would run a job, and why each other would not. Ours: Bacalhau has nothing of
//! the kind. Nothing is stored, and nothing runs.

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use skrei_job::Problem;
use skrei_protocol::api::plan::{PlanJobResponse, PlannedNode};
use skrei_scheduler::Verdict;

use super::submit::Submission;
use crate::api::{Api, error::ApiError, json};

pub(in crate::api) async fn plan(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Submission { checked, .. } = Submission::take(headers, body).await?;
    let warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let nodes = api.orchestrator.plan(checked.spec).await?.into_iter().map(|(node, verdict)| PlannedNode {
        node_id: node.to_string(),
        reasons: match verdict {
            Verdict::Fits => Vec::new(),
            Verdict::Unfit(reasons) => reasons.iter().map(ToString::to_string).collect(),
        },
    });
    Ok(json(&PlanJobResponse {
        nodes: nodes.collect(),
        warnings: (!warnings.is_empty()).then_some(warnings),
    }))
}
