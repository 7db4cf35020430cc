//! Finding what a path names: jobs by name, id or short id (reference 1.10).

use skrei_protocol::api::error::{Code, ErrorBody};

use super::{Api, error::ApiError};
use crate::store::StoredJob;

/// Shortest beginning of a job id that is looked up: `j-` and one character.
const SHORT_ID_MIN: usize = 3;

/// Namespace of jobs that name none.
const DEFAULT_NAMESPACE: &str = "default";

/// The job that `text` names in the namespace (empty: the default one).
pub(crate) async fn job(api: &Api, namespace: &str, text: &str) -> Result<StoredJob, ApiError> {
    let namespace = if namespace.is_empty() { DEFAULT_NAMESPACE } else { namespace };
    let mut found = api.orchestrator.store.find_jobs(namespace.to_owned(), text.to_owned()).await?;
    let by_id = found.iter().all(|job| job.manifest.name != text);
    if by_id && text.len() < SHORT_ID_MIN {
        found.clear();
    }
    match (found.pop(), found.is_empty()) {
        (Some(job), true) => Ok(job),
        (Some(_), false) => {
            let message = format!("`{text}` stands for more than one job");
            Err(ErrorBody::new(Code::MultipleJobsFound, message).hint("use more of the id").into())
        }
        (None, _) => Err(ApiError::not_found("job", text, "`skrei job list` shows the jobs there are")),
    }
}
