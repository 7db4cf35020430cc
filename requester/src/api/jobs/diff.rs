//! `PUT /orchestrator/jobs/diff` (reference 3.9).

use axum::{extract::State, response::Response};
use similar::{ChangeTag, TextDiff};
use skrei_job::{Manifest, Problem};
use skrei_protocol::api::{error::ErrorBody, job::DiffJobResponse};

use super::submit::{JobSent, Submission};
use crate::api::{Api, body::Body, error::ApiError, json, lookup};

/// Unchanged lines shown around changes.
const CONTEXT: usize = 3;

/// What a submission would change of the stored job of its name.
#[utoipa::path(put, path = "/orchestrator/jobs/diff", tag = "Jobs", operation_id = "diffJob",
    request_body = JobSent, responses(
        (status = 200, body = DiffJobResponse),
        (status = 404, description = "There is no job of that name", body = ErrorBody)))]
pub(in crate::api) async fn diff(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, .. } = Submission::read(&api, body).await?;
    if checked.spec.name().is_empty() {
        return Err(ApiError::bad_request("the job has no `Name`: there is nothing to compare it with"));
    }
    let stored = lookup::job(&api, checked.spec.namespace(), checked.spec.name()).await?;
    let warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let diff = compare(&stored.manifest, checked.spec.manifest());
    Ok(json(&DiffJobResponse { diff, warnings: (!warnings.is_empty()).then_some(warnings) }))
}

/// What changed, line by line; empty if nothing did.
fn compare(old: &Manifest, new: &Manifest) -> String {
    if old == new {
        return String::new();
    }
    let text = |manifest: &Manifest| serde_json::to_string_pretty(manifest).unwrap_or_default();
    let (old, new) = (text(old), text(new));
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines = String::new();
    for (number, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if number > 0 {
            lines.push_str("  ...\n");
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push_str(&format!("{sign} {}\n", change.value().trim_end_matches('\n')));
        }
    }
    lines
}
