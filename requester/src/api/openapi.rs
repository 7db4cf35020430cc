//! The OpenAPI document: what the handlers say of themselves, and what holds for all of them.
//!
//! Paths, parameters, bodies and answers come from the handlers' own types; a path without a handler that is
//! documented cannot be routed ([`router`](super::router)). Added here are the errors that every operation may give, and
//! what the leniency of bodies means for their schemas (reference 0).

mod errors;
mod lenient;

use serde_json::{Value, json};
use skrei_protocol::version::VERSION;
use utoipa::openapi::OpenApi;

/// The document, as it is served.
pub(super) fn document(handlers: &OpenApi) -> Value {
    let mut document = serde_json::to_value(handlers).unwrap_or_default();
    document["info"] = json!({
        "title": "skrei",
        "version": VERSION,
        "description": "The API of an orchestrator: Bacalhau's API v1, for jobs of type wasm, and what is ours beside it. \
            Where it differs from Bacalhau's is listed in docs/api.md.",
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    });
    errors::add(&mut document);
    lenient::bodies(&mut document);
    document
}
