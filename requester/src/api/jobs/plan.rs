//! `PUT /orchestrator/jobs/plan`: which nodes would run a job, and why each other would not. Ours: Bacalhau has nothing of
//! the kind. Nothing is stored, and nothing runs.

use axum::{extract::State, response::Response};
use skrei_job::Problem;
use skrei_protocol::api::plan::{PlanJobResponse, PlannedNode};
use skrei_scheduler::Verdict;

use super::submit::{JobSent, Submission};
use crate::api::{Api, body::Body, error::ApiError, json};

/// Which nodes would run a job now.
#[utoipa::path(put, path = "/orchestrator/jobs/plan", tag = "Jobs", operation_id = "planJob",
    request_body = JobSent, responses((status = 200, body = PlanJobResponse)))]
pub(in crate::api) async fn plan(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, .. } = Submission::read(&api, body).await?;
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
