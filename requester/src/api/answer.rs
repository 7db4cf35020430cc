//! What every answer has in common: the caller's request id, one form for errors, and JSON for people if asked.

mod indent;

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use skrei_protocol::api::error::ErrorBody;

use super::{ANSWER_MAX_BYTES, error::ApiError};
use crate::clock;

const REQUEST_ID: &str = "x-request-id";

/// Longest request id that is repeated.
const REQUEST_ID_MAX_BYTES: usize = 200;

/// An error on its way to the wire; it takes up the request's id there.
#[derive(Clone, Debug)]
pub(super) struct Failed(pub(super) Box<ErrorBody>);

/// Completes an answer.
pub(super) async fn complete(request: Request, next: Next) -> Response {
    let id = request_id(request.headers());
    let indented = is_pretty(request.uri().query());
    let mut response = next.run(request).await;
    if let Some(Failed(mut body)) = response.extensions_mut().remove::<Failed>() {
        body.request_id = id.to_str().unwrap_or_default().to_owned();
        let (parts, _) = response.into_parts();
        let mut written = super::json(&*body);
        *written.status_mut() = parts.status;
        for (name, value) in &parts.headers {
            written.headers_mut().insert(name, value.clone());
        }
        response = written;
    }
    if indented && is_json(response.headers()) {
        response = indent(response).await;
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id the caller gave, or a new one: both sides find the call in their logs by it.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers
        .get(REQUEST_ID)
        .filter(|id| !id.is_empty() && id.len() <= REQUEST_ID_MAX_BYTES && id.to_str().is_ok());
    given.cloned().unwrap_or_else(|| {
        let id: String =
            clock::random().unwrap_or_default().iter().map(|byte| format!("{byte:02x}")).collect();
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static(""))
    })
}

/// Whether the query has `pretty`, with any value or none (reference 2.1).
fn is_pretty(query: Option<&str>) -> bool {
    let mut names =
        query.unwrap_or_default().split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.any(|name| name.eq_ignore_ascii_case("pretty"))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

async fn indent(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(compact) = to_bytes(body, ANSWER_MAX_BYTES).await else {
        return ApiError::broken().into_response();
    };
    let indented = indent::indent(&compact);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(indented))
}
