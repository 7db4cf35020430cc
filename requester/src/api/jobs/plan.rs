//! `PUT /orchestrator/jobs/plan`: which nodes would run a job, and why each other would not. Ours: Bacalhau has nothing of
//! the kind. Nothing is stored, and nothing runs.

use axum::{extract::State, response::Response};
use skrei_job::Problem;
use skrei_protocol::api::plan::{PlanJobResponse, PlannedNode};
use skrei_scheduler::Verdict;

use super::submit::{JobSent, Submission};
use crate::{
    api::{Api, body::Body, error::ApiError, json},
    secrets,
};

/// Which nodes would run a job now.
#[utoipa::path(put, path = "/orchestrator/jobs/plan", tag = "Jobs", operation_id = "planJob",
    request_body = JobSent, responses((status = 200, body = PlanJobResponse)))]
pub(in crate::api) async fn plan(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, secrets, .. } = Submission::read(&api, body).await?;
    let of_secrets = secrets::Plan::of(&api.orchestrator.store, &checked.spec, &secrets).await?;
    let mut warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    warnings.extend(of_secrets.warnings());
    let nodes = api.orchestrator.plan(checked.spec).await?.into_iter().map(|(node, verdict)| {
        let mut reasons: Vec<String> = match verdict {
            Verdict::Fits => Vec::new(),
            Verdict::Unfit(reasons) => reasons.iter().map(ToString::to_string).collect(),
        };
        reasons.extend(of_secrets.reasons(&node));
        PlannedNode { node_id: node.to_string(), reasons }
    });
    Ok(json(&PlanJobResponse {
        nodes: nodes.collect(),
        warnings: (!warnings.is_empty()).then_some(warnings),
    }))
}
