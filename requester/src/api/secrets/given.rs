//! Secrets that come with a submission, or after it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;
use skrei_job::secret::{Name, SECRETS_MAX, SealedByClient, VALUE_BYTES_MAX};
use zeroize::Zeroize as _;

use super::{name, value};
use crate::{
    api::error::ApiError,
    nodes::is_name,
    secrets::{Given, GivenSecret},
};

/// Values in base64, by name, as they came. They are overwritten in the end.
///
/// Whatever came is taken in: what a reader says of a field that does not fit may have some of it.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub(in crate::api) struct SecretsSent(Value);

impl SecretsSent {
    /// The secrets, if that is what came.
    pub(in crate::api) fn take(self) -> Result<Given, ApiError> {
        let entries = match &self.0 {
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
            let name = name(written)?;
            let Value::String(text) = entry else {
                let message = format!("the value of secret `{name}` is not text in base64");
                return Err(ApiError::bad_request(message));
            };
            let value = value(&name, text)?;
            given.insert(name, GivenSecret::Value(value));
        }
        Ok(given)
    }
}

impl Drop for SecretsSent {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(sent: &mut Value) {
    match sent {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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

/// Longest form of a value in an envelope: base64 of it, its nonce and its tag.
const CONTENT_CHARS_MAX: usize = (VALUE_BYTES_MAX + 64).div_ceil(3) * 4;

/// Longest form of a key in an envelope, sealed to a node.
const KEY_CHARS_MAX: usize = 256;

/// Envelopes, if they can be read. Why not is not said: the words would have some of it, and whoever puts values there by mistake
/// has sent values.
pub(in crate::api) fn envelopes_sent<'de, D: Deserializer<'de>>(
    body: D,
) -> Result<BTreeMap<String, SealedByClient>, D::Error> {
    BTreeMap::deserialize(body).map_err(|_| D::Error::custom("this is no object of names and envelopes"))
}

/// Envelopes as they came, by the names of their secrets, if that is what they are.
pub(in crate::api) fn envelopes(
    sent: BTreeMap<String, SealedByClient>,
) -> Result<BTreeMap<Name, SealedByClient>, ApiError> {
    if sent.len() > SECRETS_MAX {
        return Err(ApiError::bad_request(format!("a job can be given {SECRETS_MAX} secrets at most")));
    }
    let envelope = |(written, envelope): (String, SealedByClient)| {
        let name = name(&written)?;
        let SealedByClient { content, keys } = &envelope;
        let is_right = (1..=CONTENT_CHARS_MAX).contains(&content.len())
            && keys
                .iter()
                .all(|(node, key)| is_name(node.as_str()) && (1..=KEY_CHARS_MAX).contains(&key.len()));
        match is_right {
            true => Ok((name, envelope)),
            false => {
                Err(ApiError::bad_request(format!("secret `{name}` is not sealed as `skrei` seals secrets")))
            }
        }
    };
    sent.into_iter().map(envelope).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_came_in_the_place_of_values_is_wiped() {
        let mut sent = json!({"a": "c2VjcmV0", "b": ["c2VjcmV0", {"c": "c2VjcmV0"}], "d": 1});
        wipe(&mut sent);
        assert_eq!(sent, json!({"a": "", "b": ["", {"c": ""}], "d": 1}));
    }
}
