//! Environment variables: `SKREI_` or `BACALHAU_` and the key in upper case with `_` for `.`.

use super::{key::Key, keys::KEYS, value::Value};
use crate::error::Error;

const PREFIXES: [&str; 2] = ["SKREI_", "BACALHAU_"];

/// Other names, and the keys they stand for.
const ALIASES: &[(&str, &str)] =
    &[("SKREI_DIR", "DataDir"), ("BACALHAU_DIR", "DataDir"), ("LOG_LEVEL", "Logging.Level")];

/// A value and the variable it came from.
pub(super) struct Found {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    pub(super) variable: String,
}

/// Every key that is set. `SKREI_` wins over `BACALHAU_`, and the key's own name over another one.
pub(super) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for key in KEYS {
        let set = variables(key).into_iter().find_map(|variable| {
            // An empty variable is as good as none.
            lookup(&variable).filter(|text| !text.is_empty()).map(|text| (variable, text))
        });
        let Some((variable, text)) = set else { continue };
        let value = Value::parse(key, &text)
            .map_err(|wrong| Error::usage(format!("environment variable {variable}: {wrong}")))?;
        found.push(Found { key, value, variable });
    }
    Ok(found)
}

/// The variables that set a key, the one it is documented under first.
pub(super) fn variables(key: &Key) -> Vec<String> {
    let suffix = key.name.to_uppercase().replace('.', "_");
    let own = PREFIXES.iter().map(|prefix| format!("{prefix}{suffix}"));
    let other = ALIASES.iter().filter(|(_, name)| *name == key.name).map(|(alias, _)| (*alias).to_owned());
    own.chain(other).collect()
}
