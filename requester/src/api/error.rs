//! Errors as answers.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use skrei_protocol::api::error::{Code, ErrorBody};

use super::answer::Failed;
use crate::{
    artifacts,
    decide::Refused,
    incoming,
    nodes::tokens,
    secrets::{NotGranted, NotRotated},
};

/// An error on its way out. [`answer::complete`](super::answer::complete) writes it.
#[derive(Debug)]
pub(crate) struct ApiError(Box<ErrorBody>);

impl From<ErrorBody> for ApiError {
    fn from(body: ErrorBody) -> Self {
        Self(Box::new(body))
    }
}

impl ApiError {
    /// The request cannot be understood.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        ErrorBody::new(Code::BadRequest, message).into()
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: &str, name: &str, hint: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        ErrorBody::new(Code::NotFound, format!("there is no {what} `{name}`")).hint(hint).into()
    }

    /// A request broke on a mistake of ours.
    pub(crate) fn broken() -> Self {
        ErrorBody::new(Code::InternalError, "the orchestrator made a mistake; its log says more").into()
    }

    /// Its words, for a stream that has begun.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
}

impl From<skrei_ledger::Error> for ApiError {
    fn from(error: skrei_ledger::Error) -> Self {
        tracing::error!(%error, "a request failed on the store");
        ErrorBody::new(Code::ServiceUnavailable, "the orchestrator's store does not answer")
            .hint("see the orchestrator's log; a full disk is the usual cause")
            .into()
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let message = refused.to_string();
        match refused {
            Refused::Unchanged(_) => ErrorBody::new(Code::NoChanges, message)
                .hint("submit it with --force to run it again all the same")
                .into(),
            Refused::Ended { .. } | Refused::NotBegun { .. } => {
                ErrorBody::new(Code::ConflictJobState, message).into()
            }
            Refused::Outdated { .. } => ErrorBody::new(Code::ValidationError, message).into(),
            Refused::NotGranted(not_granted) => {
                ErrorBody::new(Code::ValidationError, message).hint(hint(&not_granted)).into()
            }
            Refused::NoSuchJob(_) | Refused::NoSuchNode(_) => ErrorBody::new(Code::NotFound, message).into(),
            Refused::NodeIsSo { .. } => ErrorBody::new(Code::ConflictNodeState, message).into(),
            Refused::Store(error) => error.into(),
            Refused::NoRandomness => ErrorBody::new(Code::InternalError, message).into(),
            Refused::ShuttingDown => ErrorBody::new(Code::ServiceUnavailable, message).into(),
        }
    }
}

impl From<tokens::Error> for ApiError {
    fn from(error: tokens::Error) -> Self {
        let message = error.to_string();
        match error {
            tokens::Error::Store(error) => error.into(),
            tokens::Error::NoRandomness => ErrorBody::new(Code::InternalError, message).into(),
            tokens::Error::TooMany => ErrorBody::new(Code::ResourceExhausted, message)
                .hint("they are forgotten a month after they expire: give tokens an end")
                .into(),
        }
    }
}

/// The way out for a job that may not have a secret.
fn hint(not_granted: &NotGranted) -> String {
    match not_granted {
        NotGranted::Unknown(name, _) => format!(
            "give it with the job: --secret {name}=@FILE; or keep it here: skrei secret set {name}=@FILE --job JOB"
        ),
        NotGranted::OutOfScope { name, job, .. } => {
            format!(
                "whoever keeps the secret can let the job have it: skrei secret set {name}=@FILE --job {job}"
            )
        }
        NotGranted::NotNamed(name) => format!(
            "name it in the task: `Secrets: [{{Name: {name}, Target: /secrets/{name}}}]`, or `{{{{secret \"{name}\"}}}}` as the value of a variable"
        ),
        NotGranted::Gone(name) => format!("submit the job file again with --secret {name}=@FILE"),
        NotGranted::NotOpened { name, .. } => format!("submit the job file again with --secret {name}=@FILE"),
        NotGranted::NotLocked(_) => "try again".to_owned(),
    }
}

impl From<NotRotated> for ApiError {
    fn from(error: NotRotated) -> Self {
        let message = error.to_string();
        match error {
            NotRotated::GivenKeys => ErrorBody::new(Code::ValidationError, message)
                .hint("put a new line `key ID KEY` before the others where they come from, and start again; see the guide on secrets")
                .into(),
            NotRotated::Refused(refused) => refused.into(),
            NotRotated::Store(error) => error.into(),
            NotRotated::Keys(error) => {
                tracing::error!(%error, "the keys of secrets cannot be rotated");
                let body = ErrorBody::new(Code::ServiceUnavailable, message);
                match error.hint() {
                    Some(hint) => body.hint(hint).into(),
                    None => body.into(),
                }
            }
        }
    }
}

impl From<artifacts::Error> for ApiError {
    fn from(error: artifacts::Error) -> Self {
        let message = error.to_string();
        match error {
            artifacts::Error::OtherContent { .. } => ErrorBody::new(Code::ValidationError, message)
                .hint("the path ends in the SHA-256 of the body, 64 hexadecimal digits")
                .into(),
            artifacts::Error::Full(_) => ErrorBody::new(Code::ServiceUnavailable, message)
                .hint("artifacts of jobs that ended long ago make room; Orchestrator.Artifacts.MaxBytes allows more")
                .into(),
            artifacts::Error::Incoming(incoming::Error::OtherContent { .. }) => {
                ErrorBody::new(Code::ValidationError, message).into()
            }
            artifacts::Error::Incoming(incoming::Error::Busy | incoming::Error::Crowded) => {
                ErrorBody::new(Code::ResourceExhausted, message).hint("wait for the end of that, and ask again").into()
            }
            artifacts::Error::Incoming(incoming::Error::WrongSize) => ErrorBody::new(Code::BadRequest, message).into(),
            artifacts::Error::Incoming(incoming::Error::Io(_)) => {
                tracing::error!(%error, "an artifact cannot be stored");
                ErrorBody::new(Code::ServiceUnavailable, message).into()
            }
            artifacts::Error::TooLarge => ErrorBody::new(Code::PayloadTooLarge, message).into(),
            artifacts::Error::BrokenOff(_) | artifacts::Error::Silent => ErrorBody::new(Code::BadRequest, message).into(),
            artifacts::Error::Io(_) => {
                tracing::error!(%error, "an artifact cannot be stored");
                ErrorBody::new(Code::ServiceUnavailable, message).into()
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Failed(self.0));
        response
    }
}
