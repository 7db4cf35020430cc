//! What a path names.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use super::error::ApiError;

/// The variable part of a path, decoded: the name or id of a job, node, execution.
#[derive(Clone, Debug)]
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let found = Path::<String>::from_request_parts(parts, state).await;
        found
            .map(|Path(text)| Self(text))
            .map_err(|_| ApiError::bad_request("the path is not UTF-8 behind its percent signs"))
    }
}
