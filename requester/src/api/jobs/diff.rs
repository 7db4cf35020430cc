//! `PUT /orchestrator/jobs/diff` (reference 3.9).

use axum::{body::Bytes, extract::State, response::Response};
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};
use skrei_job::{Manifest, Problem, read};

use super::submit::{any_case, invalid};
use crate::api::{Api, error::ApiError, json as answer, lookup};

/// Unchanged lines shown around changes.
const CONTEXT: usize = 3;

pub(in crate::api) async fn diff(State(api): State<Api>, body: Bytes) -> Result<Response, ApiError> {
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    let job = body.as_object().and_then(|body| any_case(body, "Job")).filter(|job| job.is_object());
    let job = job.ok_or_else(|| ApiError::bad_request("the body has no `Job`"))?;
    let checked = read::body(job).check(None).map_err(|problems| invalid(&problems))?;
    if checked.spec.name().is_empty() {
        return Err(ApiError::bad_request("the job has no `Name`: there is nothing to compare it with"));
    }
    let stored = lookup::job(&api, checked.spec.namespace(), checked.spec.name()).await?;
    let warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let diff = compare(&stored.manifest, checked.spec.manifest());
    Ok(answer(&json!({"Diff": diff, "Warnings": (!warnings.is_empty()).then_some(warnings)})))
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
