//! `PUT /orchestrator/jobs` (reference 3.2).

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, response::Response};
use serde::Deserialize;
use serde_json::Value;
use skrei_job::{
    EvaluationId, Manifest, Problem, Problems, defaults::JobDefaults, read, secret::SealedByClient,
    validate::Checked,
};
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    job::PutJobResponse,
};
use utoipa::ToSchema;

use crate::{
    api::{
        Api,
        body::Body,
        error::ApiError,
        guard::Subject,
        json,
        secrets::{SecretsSent, envelopes, envelopes_sent},
    },
    secrets::{Given, GivenSecret},
    store::artifacts,
};

/// Longest token accepted: a UUID has 36 bytes.
const TOKEN_MAX_BYTES: usize = 256;

/// Body of a submission, and of what asks what would become of one.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(in crate::api) struct JobSent {
    /// The job. Keys in any case; unknown ones are ignored, and `null` is as if left out.
    #[schema(required, value_type = Manifest)]
    job: Value,
    /// Submit it even if the stored job of that name is the same.
    force: bool,
    /// What the sender calls this submission: a second one with the same token gets the answer of the first.
    #[schema(max_length = 256)]
    idempotency_token: String,
    /// Secrets that the job names: values in base64, by name. They live as long as this version of the job.
    #[schema(value_type = BTreeMap<String, String>)]
    secrets: SecretsSent,
    /// Secrets that the job names and that the sender has sealed to nodes, by name. They live as long.
    #[serde(deserialize_with = "envelopes_sent")]
    sealed_secrets: BTreeMap<String, SealedByClient>,
    /// Whether it is a job whose secrets the sender seals, also before there are any: it gets no defaults of the orchestrator's.
    sealed: bool,
}

/// Takes a job, or a new version of the one of that name.
#[utoipa::path(method(put, post), path = "/orchestrator/jobs", tag = "Jobs", operation_id = "putJob",
    request_body = JobSent, responses(
        (status = 200, body = PutJobResponse),
        (status = 409, description = "The stored job of that name is the same", body = ErrorBody)))]
pub(in crate::api) async fn submit(State(api): State<Api>, body: Body) -> Result<Response, ApiError> {
    let Submission { checked, force, token, secrets, .. } = Submission::read(&api, body).await?;
    require_artifacts(&api, checked.spec.manifest()).await?;
    let accepted = api.orchestrator.submit(checked.spec, force, token, secrets).await?;
    let warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let evaluation = EvaluationId::derive(&accepted.job, accepted.version);
    let job_id = accepted.job.to_string();
    let answer = PutJobResponse {
        job_id: job_id.clone(),
        evaluation_id: evaluation.to_string(),
        warnings: (!warnings.is_empty()).then_some(warnings),
    };
    Ok(Subject(job_id).of(json(&answer)))
}

/// A body that was understood.
pub(super) struct Submission {
    pub(super) checked: Checked,
    force: bool,
    token: Option<String>,
    pub(super) secrets: Given,
    /// Whether its secrets are sealed by whoever sends it, or will be.
    pub(super) is_sealed: bool,
}

impl Submission {
    /// Reads and checks a body, on a thread made for blocking: what a job carries may take a while to unpack.
    pub(super) async fn read(api: &Api, body: Body) -> Result<Self, ApiError> {
        let orchestrator = Arc::clone(&api.orchestrator);
        let check = move || Self::check(body.read()?, &orchestrator.config.job_defaults);
        let submission = tokio::task::spawn_blocking(check).await;
        submission.map_err(|_| ApiError::broken())?
    }

    fn check(sent: JobSent, defaults: &JobDefaults) -> Result<Self, ApiError> {
        let JobSent { job, force, idempotency_token, secrets, sealed_secrets, sealed } = sent;
        let mut secrets = secrets.take()?;
        for (name, sealed) in envelopes(sealed_secrets)? {
            let both = format!("secret `{name}` is given sealed, and as it is");
            if secrets.insert(name, GivenSecret::Sealed(sealed)).is_some() {
                return Err(ApiError::bad_request(both));
            }
        }
        if !job.is_object() {
            return Err(ApiError::bad_request("the body has no `Job`"));
        }
        let token = match idempotency_token {
            token if token.is_empty() => None,
            token if token.len() <= TOKEN_MAX_BYTES => Some(token),
            _ => {
                let message = format!("`IdempotencyToken` has more than {TOKEN_MAX_BYTES} bytes");
                return Err(ApiError::bad_request(message));
            }
        };
        let mut reading = read::body(&job);
        // What was sealed is sealed for the job as it was written.
        let is_sealed = sealed || secrets.values().any(|given| matches!(given, GivenSecret::Sealed(_)));
        if !is_sealed {
            defaults.fill(&mut reading.manifest);
        }
        let checked = reading.check(None).map_err(|problems| invalid(&problems))?;
        Ok(Self { checked, force, token, secrets, is_sealed })
    }
}

pub(super) fn invalid(problems: &Problems) -> ApiError {
    let mut body = ErrorBody::new(Code::ValidationError, problems.to_string());
    body.details = problems
        .iter()
        .filter(|problem| !problem.path.is_empty())
        .map(|problem| (problem.path.clone(), problem.message.clone()))
        .collect();
    body.into()
}

/// A job that names content nobody has would fail on every node: say so before it is accepted.
pub(super) async fn require_artifacts(api: &Api, manifest: &Manifest) -> Result<(), ApiError> {
    for digest in artifacts(manifest) {
        if api.orchestrator.artifacts.need(digest).await.is_none() {
            let message = format!("the orchestrator does not hold artifact `{digest}`");
            let hint = "send its content first: PUT /api/v1/orchestrator/artifacts/<hexadecimal digits>";
            return Err(ErrorBody::new(Code::ValidationError, message).hint(hint).into());
        }
    }
    Ok(())
}
