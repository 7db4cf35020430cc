//! `PUT /orchestrator/jobs/plan`: which nodes would run a job, with which host paths, and why each other would not. Ours:
//! Bacalhau has nothing of the kind. Nothing is stored, and nothing runs: the scheduler judges as it would place the job, and
//! nodes as they would take it on.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use futures_util::{StreamExt as _, stream};
use skrei_job::{NodeId, Problem, Spec};
use skrei_protocol::{
    api::plan::{PlanJobResponse, PlannedMount, PlannedNode},
    link::Granted,
};
use skrei_scheduler::Verdict;
use tokio::time::{Instant, timeout_at};

use super::submit::{JobSent, Submission};
use crate::{
    api::{Api, body::Body, error::ApiError, json},
    secrets,
};

/// Nodes that are asked at a time: each is sent the whole job.
const ASKED_AT_ONCE: usize = 64;

/// How long one of them may take to say what it would make of it, and all of them together.
const ANSWER_MAX: Duration = Duration::from_secs(3);
const ASKING_MAX: Duration = Duration::from_secs(10);

/// How many nodes a warning names.
const NAMED_MAX: usize = 10;

/// Which nodes would run a job now.
#[utoipa::path(put, path = "/orchestrator/jobs/plan", tag = "Jobs", operation_id = "planJob",
    request_body = JobSent, responses((status = 200, body = PlanJobResponse)))]
pub(in crate::api) async fn plan(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, secrets, .. } = Submission::read(&api, body).await?;
    let of_secrets = secrets::Plan::of(&api.orchestrator.store, &checked.spec, &secrets).await?;
    let mut warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    warnings.extend(of_secrets.warnings());
    let spec = Arc::new(checked.spec.clone());
    let until = Instant::now() + ASKING_MAX;
    let verdicts = api.orchestrator.plan(checked.spec).await?;
    let judged = stream::iter(verdicts).enumerate().map(|(place, (node, verdict))| {
        let mut reasons: Vec<String> = match verdict {
            Verdict::Fits => Vec::new(),
            Verdict::Unfit(reasons) => reasons.iter().map(ToString::to_string).collect(),
        };
        reasons.extend(of_secrets.reasons(&node));
        let judged = judge(&api, node, reasons, &spec, until);
        async move { (place, judged.await) }
    });
    // As they come: one that is slow holds up nobody behind it.
    let mut judged: Vec<_> = judged.buffer_unordered(ASKED_AT_ONCE).collect().await;
    judged.sort_unstable_by_key(|(place, _)| *place);
    let judged: Vec<(PlannedNode, bool)> = judged.into_iter().map(|(_, judged)| judged).collect();
    let silent: Vec<_> = judged.iter().filter(|(_, said)| !said).map(|(node, _)| &node.node_id).collect();
    warnings.extend(not_asked(&silent));
    Ok(json(&PlanJobResponse {
        nodes: judged.into_iter().map(|(node, _)| node).collect(),
        warnings: (!warnings.is_empty()).then_some(warnings),
    }))
}

/// A node with what it says itself, if nothing else keeps the job off it; false if it was asked and said nothing.
async fn judge(
    api: &Api,
    node: NodeId,
    mut reasons: Vec<String>,
    spec: &Arc<Spec>,
    until: Instant,
) -> (PlannedNode, bool) {
    let (mut mounts, mut said) = (Vec::new(), true);
    if reasons.is_empty() {
        let now = Instant::now();
        // Nobody is sent a job for an answer that is waited for no longer.
        let asked = async { if now < until { api.orchestrator.hub.judge(&node, spec).await } else { None } };
        match timeout_at(until.min(now + ANSWER_MAX), asked).await {
            // There are no more than it was asked about, whatever it says.
            Ok(Some(Ok(granted))) => {
                mounts = granted.into_iter().take(spec.task().inputs.len()).map(mount).collect();
            }
            Ok(Some(Err(refusal))) => reasons.push(refusal.message),
            Ok(None) | Err(_) => said = false,
        }
    }
    (PlannedNode { node_id: node.to_string(), reasons, mounts }, said)
}

fn mount(granted: Granted) -> PlannedMount {
    let Granted { path, target, mode } = granted;
    PlannedMount { path, target, mode: mode.as_str().to_owned() }
}

fn not_asked(silent: &[&String]) -> Option<String> {
    let named: Vec<_> = silent.iter().take(NAMED_MAX).map(|node| node.as_str()).collect();
    let more = silent.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!named.is_empty())
        .then(|| {
            format!(
                "whether their owners allow it was not to be had from {}{more}: update what is of an older version, and plan \
                 again for what was slow or away",
                named.join(", ")
            )
        })
}
