//! Secrets that come with a submission.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use skrei_job::secret::SECRETS_MAX;
use zeroize::Zeroize as _;

use super::{name, value};
use crate::{api::error::ApiError, secrets::Given};

/// Values in base64, by name, as they came.
///
/// Whatever came is taken in: what a reader says of a field that does not fit may have some of it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(in crate::api) struct SecretsSent(Value);

impl SecretsSent {
    /// The secrets, if that is what came.
    pub(in crate::api) fn take(self) -> Result<Given, ApiError> {
        let entries = match self.0 {
            Value::Object(entries) => entries,
            Value::Null => return Ok(Given::new()),
            _ => {
                return Err(ApiError::bad_request(
                    "`Secrets` is not an object of names and values in base64",
                ));
            }
        };
        if entries.len() > SECRETS_MAX {
            return Err(ApiError::bad_request(format!("a job can be given {SECRETS_MAX} secrets at most")));
        }
        let mut given = Given::new();
        for (written, entry) in entries {
            let name = name(&written)?;
            let Value::String(mut text) = entry else {
                let message = format!("the value of secret `{name}` is not text in base64");
                return Err(ApiError::bad_request(message));
            };
            let value = value(&name, &text);
            text.zeroize();
            given.insert(name, value?);
        }
        Ok(given)
    }
}

/// No secrets, as the document has it that describes the body; never what came.
impl Serialize for SecretsSent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(std::iter::empty::<(&str, &str)>())
    }
}

/// Nothing of it.
impl fmt::Debug for SecretsSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secrets]")
    }
}
