//! Secrets of namespaces, and what jobs may have of them: values go in and do not come out.

mod given;
pub(super) mod grants;
pub(super) mod list;
pub(super) mod recipients;
pub(super) mod remove;
pub(super) mod rotate_key;
pub(super) mod seal;
pub(super) mod set;

pub(super) use given::{SecretsSent, envelopes, envelopes_sent};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use skrei_job::secret::{Name, VALUE_BYTES_MAX};
use skrei_protocol::api::secret::StoredSecret;
use skrei_vault::{Fingerprint, Secret};

use super::error::ApiError;
use crate::store;

/// A name from a path or a body. What is none is not repeated: it may be a value.
fn name(text: &str) -> Result<Name, ApiError> {
    text.parse().map_err(|error: skrei_job::secret::NotAName| ApiError::bad_request(error.to_string()))
}

/// The namespace that is meant (empty: the default one).
fn namespace(text: &str) -> String {
    if text.is_empty() { "default".to_owned() } else { text.to_owned() }
}

/// A value from its base64. The text is the caller's to wipe.
fn value(name: &Name, text: &str) -> Result<Secret, ApiError> {
    let value = Secret::new(
        BASE64_STANDARD
            .decode(text)
            .map_err(|_| ApiError::bad_request(format!("the value of secret `{name}` is not base64")))?,
    );
    match value.expose().len() {
        0 => Err(ApiError::bad_request(format!("the value of secret `{name}` is empty"))),
        length if length > VALUE_BYTES_MAX => Err(ApiError::bad_request(format!(
            "the value of secret `{name}` has {length} bytes, and {VALUE_BYTES_MAX} at most are kept"
        ))),
        _ => Ok(value),
    }
}

fn wire(secret: store::StoredSecret) -> StoredSecret {
    StoredSecret {
        fingerprint: short(&secret.fingerprint),
        name: secret.name,
        namespace: secret.namespace,
        version: secret.version,
        jobs: secret.scope.jobs,
        nodes: secret.scope.nodes.iter().map(ToString::to_string).collect(),
        create_time: secret.created.as_nanos(),
        modify_time: secret.modified.as_nanos(),
    }
}

/// What of a stored fingerprint is shown.
fn short(fingerprint: &str) -> String {
    fingerprint.parse::<Fingerprint>().map(|fingerprint| fingerprint.short()).unwrap_or_default()
}
