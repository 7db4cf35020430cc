//! `PUT /orchestrator/jobs/diff` (reference 3.9).

use axum::{extract::State, response::Response};
use similar::{ChangeTag, TextDiff};
use skrei_job::{Manifest, Problem};
use skrei_protocol::api::{error::ErrorBody, job::DiffJobResponse};

use super::submit::{JobSent, Submission};
use crate::{
    api::{Api, body::Body, error::ApiError, json, lookup},
    store::StoredJob,
};

/// Unchanged lines shown around changes.
const CONTEXT: usize = 3;

/// What a submission would change of the stored job of its name.
#[utoipa::path(put, path = "/orchestrator/jobs/diff", tag = "Jobs", operation_id = "diffJob",
    request_body = JobSent, responses(
        (status = 200, body = DiffJobResponse),
        (status = 404, description = "There is no job of that name", body = ErrorBody)))]
pub(in crate::api) async fn diff(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, is_sealed, .. } = Submission::read(&api, body).await?;
    if checked.spec.name().is_empty() {
        return Err(ApiError::bad_request("the job has no `Name`: there is nothing to compare it with"));
    }
    let stored = lookup::job(&api, checked.spec.namespace(), checked.spec.name()).await?;
    let mut warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let diff = compare(&stored.manifest, checked.spec.manifest());
    if !diff.is_empty() && !is_sealed && was_sealed(&api, &stored).await? {
        warnings.push(SEALED.to_owned());
    }
    Ok(json(&DiffJobResponse { diff, warnings: (!warnings.is_empty()).then_some(warnings) }))
}

/// Defaults of the orchestrator's then look like changes.
const SEALED: &str = "the stored version was submitted with --seal-to-nodes, and so without the orchestrator's defaults: \
    --seal-to-nodes compares without them";

/// Whether whoever submitted the stored version sealed its secrets.
async fn was_sealed(api: &Api, stored: &StoredJob) -> Result<bool, ApiError> {
    let (job, namespace) = (stored.id.clone(), stored.manifest.namespace.clone());
    let (grants, _) = api.orchestrator.store.granted(job, stored.version, namespace).await?;
    Ok(grants.iter().any(|grant| grant.sealed.is_some()))
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
