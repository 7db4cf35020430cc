//! Asking for a token where none is needed (reference 5.2): Bacalhau's command does so before everything else.
//!
//! Whoever reaches the API may use it, so that any well-formed answer to the challenge is a good one, and a token is
//! a word that nobody looks at.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Api, error::ApiError, jobs::any_case};

/// The one method there is.
const METHOD: &str = "ClientKey";

/// What clients get and show again.
const TOKEN: &str = "open";

fn requirement(api: &Api) -> Value {
    let phrase = BASE64.encode(api.orchestrator.node().as_str());
    json!({"type": "challenge", "params": {"InputPhrase": phrase}})
}

pub(super) async fn methods(State(api): State<Api>) -> Response {
    let methods = BTreeMap::from([(METHOD, requirement(&api))]);
    super::json(&json!({"NextToken": "", "Methods": methods}))
}

pub(super) async fn method(State(api): State<Api>, Path(method): Path<String>) -> Result<Response, ApiError> {
    known(&method)?;
    Ok(super::json(&requirement(&api)))
}

pub(super) async fn answer(Path(method): Path<String>, body: Bytes) -> Result<Response, ApiError> {
    known(&method)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the body is not JSON: {error}")))?;
    let data = body.as_object().and_then(|body| any_case(body, "MethodData")).and_then(Value::as_str);
    let data = data.and_then(|data| BASE64.decode(data).ok());
    let is_answer =
        data.is_some_and(|data| serde_json::from_slice::<Value>(&data).is_ok_and(|data| data.is_object()));
    if !is_answer {
        return Err(ApiError::bad_request("`MethodData` is not the base64 of a JSON object"));
    }
    Ok(super::json(&json!({"Authentication": {"success": true, "token": TOKEN}})))
}

fn known(method: &str) -> Result<(), ApiError> {
    match method {
        METHOD => Ok(()),
        other => Err(ApiError::not_found("method of authentication", other, "`ClientKey` is the only one")),
    }
}
