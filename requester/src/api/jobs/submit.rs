//! `PUT /orchestrator/jobs` (reference 3.2).

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::Value;
use skrei_job::{Problem, Problems, Spec, read, spec::Source, validate::Checked};
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    job::PutJobResponse,
};

use crate::{
    api::{Api, BODY_MAX_BYTES, error::ApiError, json},
    clock,
};

/// Longest token accepted: a UUID has 36 bytes.
const TOKEN_MAX_BYTES: usize = 256;

/// How much of a body that is too large is read and dropped before the connection is given up.
const DRAINED_MAX_BYTES: usize = 64 << 20;

pub(in crate::api) async fn submit(
    State(api): State<Api>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let Submission { checked, force, token } = Submission::take(headers, body).await?;
    require_artifacts(&api, &checked.spec).await?;
    let accepted = api.orchestrator.submit(checked.spec, force, token).await?;
    let warnings: Vec<String> = checked.warnings.iter().map(Problem::to_string).collect();
    let evaluation = clock::random().map(uuid).unwrap_or_default();
    Ok(json(&PutJobResponse {
        job_id: accepted.job.to_string(),
        evaluation_id: evaluation,
        warnings: (!warnings.is_empty()).then_some(warnings),
    }))
}

/// A body that was understood.
pub(super) struct Submission {
    pub(super) checked: Checked,
    force: bool,
    token: Option<String>,
}

impl Submission {
    /// Reads and checks a body, on a thread made for blocking: what a job carries may take a while to unpack.
    pub(super) async fn take(headers: HeaderMap, body: Body) -> Result<Self, ApiError> {
        let body = read_whole(body).await?;
        let submission = tokio::task::spawn_blocking(move || Self::read(&headers, &body)).await;
        submission.map_err(|_| ApiError::broken())?
    }

    fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let body = parse(headers, body)?;
        let field = |name: &str| body.as_object().and_then(|body| any_case(body, name));
        let job = field("Job")
            .filter(|job| job.is_object())
            .ok_or_else(|| ApiError::bad_request("the body has no `Job`"))?;
        let checked = read::body(job).check(None).map_err(|problems| invalid(&problems))?;
        let force = field("Force").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { checked, force, token: token(field("IdempotencyToken"))? })
    }
}

/// What the sender calls this submission, if it may repeat it.
fn token(given: Option<&Value>) -> Result<Option<String>, ApiError> {
    match given.and_then(Value::as_str).unwrap_or_default() {
        "" => Ok(None),
        token if token.len() <= TOKEN_MAX_BYTES => Ok(Some(token.to_owned())),
        _ => Err(ApiError::bad_request(format!("`IdempotencyToken` has more than {TOKEN_MAX_BYTES} bytes"))),
    }
}

/// The body, if it is not too large. What is too large is still taken off the wire, up to a bound: a client that
/// is cut off while it sends sees a broken connection and not the answer.
async fn read_whole(body: Body) -> Result<Bytes, ApiError> {
    let (mut content, mut size) = (BytesMut::new(), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk =
            chunk.map_err(|error| ApiError::bad_request(format!("the body cannot be read: {error}")))?;
        size += chunk.len();
        if size <= BODY_MAX_BYTES {
            content.extend_from_slice(&chunk);
        } else if size > DRAINED_MAX_BYTES {
            break;
        }
    }
    if size > BODY_MAX_BYTES {
        let message = format!("the body has more than {BODY_MAX_BYTES} bytes");
        let hint = "send large content as an artifact and name its digest in the job";
        return Err(ErrorBody::new(Code::PayloadTooLarge, message).hint(hint).into());
    }
    Ok(content.freeze())
}

/// A JSON body, or why it is none (reference 0.2).
fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Value, ApiError> {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "the body must be `application/json`";
        return Err(ErrorBody::new(Code::UnsupportedMediaType, message).into());
    }
    serde_json::from_slice(body)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))
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
async fn require_artifacts(api: &Api, spec: &Spec) -> Result<(), ApiError> {
    let task = spec.task();
    let sources = task.inputs.iter().map(|input| &input.source).chain([&task.program.module]);
    for source in sources {
        if let Source::Artifact { digest, .. } = source
            && api.orchestrator.artifacts.size(*digest).await.is_none()
        {
            let message = format!("the orchestrator does not hold artifact `{digest}`");
            let hint = "send its content first: PUT /api/v1/orchestrator/artifacts/<hexadecimal digits>";
            return Err(ErrorBody::new(Code::ValidationError, message).hint(hint).into());
        }
    }
    Ok(())
}

/// Go's decoder, and so real clients, match keys in any case.
pub(in crate::api) fn any_case<'a>(
    object: &'a serde_json::Map<String, Value>,
    name: &str,
) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Sixteen bytes in the form of a version 4 UUID: evaluations have no other use here than their name.
pub(in crate::api) fn uuid(bytes: [u8; 16]) -> String {
    skrei_job::JobId::from_random(bytes).as_str()[2..].to_owned()
}
