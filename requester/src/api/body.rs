//! Bodies as real clients send them (reference 0 and 0.2): keys in any case, `null` for what is left out, unknown keys.

mod fields;

use std::fmt;

use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use skrei_protocol::api::error::{Code, ErrorBody};
use zeroize::Zeroize as _;

use super::{BODY_MAX_BYTES, error::ApiError};
use crate::wire::{self, Unread};

/// How much of a body that is too large is read and dropped before the connection is given up.
const DRAINED_MAX_BYTES: usize = 64 << 20;

/// The body of a request: within the limit, and JSON by its media type, unless it is empty.
pub(crate) struct Body(Bytes);

impl Body {
    /// The body as an object with the fields of `T`. An empty body is an object without fields.
    ///
    /// What is large takes a while: not on the threads that answer.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let wrong = |error: &dyn fmt::Display| ApiError::bad_request(format!("the body {error}"));
        let value = match self.0.is_empty() {
            true => Value::Object(Map::new()),
            false => serde_json::from_slice(&self.0)
                .map_err(|error| wrong(&format_args!("is not JSON: {error}")))?,
        };
        match value {
            Value::Object(object) => {
                fields::read(object).map_err(|error| wrong(&format_args!("does not fit: {error}")))
            }
            _ => Err(wrong(&"is not a JSON object")),
        }
    }
}

/// Nothing of it: there may be secrets in it.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// As above. What the HTTP library has had of it is not overwritten.
impl Drop for Body {
    fn drop(&mut self) {
        if let Ok(mut content) = std::mem::take(&mut self.0).try_into_mut() {
            content.as_mut().zeroize();
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let media_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let content = read_whole(request.into_body()).await?;
        let media_type = media_type.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if content.is_empty() || essence.eq_ignore_ascii_case("application/json") {
            return Ok(Self(content));
        }
        Err(ErrorBody::new(Code::UnsupportedMediaType, "the body must be `application/json`").into())
    }
}

async fn read_whole(body: axum::body::Body) -> Result<Bytes, ApiError> {
    wire::read(body, BODY_MAX_BYTES, DRAINED_MAX_BYTES).await.map_err(|error| match error {
        Unread::Broken(error) => ApiError::bad_request(format!("the body cannot be read: {error}")),
        Unread::TooLarge => {
            let message = format!("the body has more than {BODY_MAX_BYTES} bytes");
            let hint = "send large content as an artifact and name its digest in the job";
            ErrorBody::new(Code::PayloadTooLarge, message).hint(hint).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase", default)]
    struct Sent {
        job_version: u64,
        reason: String,
        force: bool,
    }

    fn read(value: &Value) -> Result<Sent, ApiError> {
        Body(value.to_string().into()).read()
    }

    #[test]
    fn keys_have_any_case_and_null_is_left_out() {
        let sent =
            read(&json!({"jobversion": 2, "REASON": null, "Credential": null, "X": {"y": []}})).unwrap();
        assert_eq!(sent, Sent { job_version: 2, ..Sent::default() });
        assert_eq!(Body(Bytes::new()).read::<Sent>().unwrap(), Sent::default());
    }

    #[test]
    fn another_type_than_wanted_is_refused_by_name() {
        for (value, words) in [
            (json!({"Force": "yes"}), "`Force`"),
            (json!({"JobVersion": -1}), "`JobVersion`"),
            (json!({"JobVersion": 1.5}), "`JobVersion`"),
            (json!({"reason": ["a"]}), "`Reason`"),
            (json!([]), "not a JSON object"),
            (json!(null), "not a JSON object"),
        ] {
            let error = read(&value).unwrap_err();
            assert!(error.message().contains(words), "{value}: {}", error.message());
        }
        let deep = "[".repeat(100_000);
        assert!(Body(deep.into()).read::<Sent>().unwrap_err().message().contains("not JSON"));
        assert!(Body(Bytes::from_static(b"{\"Reason\":\"\xff\"}")).read::<Sent>().is_err());
    }
}
