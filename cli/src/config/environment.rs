//! Environment variables: `SKREI_` or `BACALHAU_` and the key in upper case with `_` for `.`.

use super::{key::Key, keys::keys, older, value::Value};
use crate::error::Error;

const PREFIXES: [&str; 2] = ["SKREI_", "BACALHAU_"];

/// Other names, and the keys they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("SKREI_DIR", "DataDir"),
    ("BACALHAU_DIR", "DataDir"),
    ("LOG_LEVEL", "Logging.Level"),
    ("SKREI_AUTO_TLS", "API.TLS.AutoCert"),
    ("BACALHAU_AUTO_TLS", "API.TLS.AutoCert"),
    ("SKREI_TLS_CERT", "API.TLS.CertFile"),
    ("BACALHAU_TLS_CERT", "API.TLS.CertFile"),
    ("SKREI_TLS_KEY", "API.TLS.KeyFile"),
    ("BACALHAU_TLS_KEY", "API.TLS.KeyFile"),
];

/// Names that only older versions had; whoever uses one is told the present one.
const OLDER: &[(&str, &str)] = &[
    ("BACALHAU_SERVER_HOST", "API.Host"),
    ("BACALHAU_SERVER_PORT", "API.Port"),
    ("BACALHAU_TLS_SELFSIGNED", "API.TLS.SelfSigned"),
    ("BACALHAU_API_TLS", "API.TLS.UseTLS"),
    ("BACALHAU_API_CACERT", "API.TLS.CAFile"),
    ("BACALHAU_API_INSECURE", "API.TLS.Insecure"),
];

/// A value and the variable it came from.
pub(super) struct Found {
    pub(super) key: &'static Key,
    pub(super) value: Value,
    pub(super) variable: String,
    /// What is better written otherwise.
    pub(super) warning: Option<String>,
}

/// Every key that is set. `SKREI_` wins over `BACALHAU_`, and the key's own name over another one.
pub(super) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for key in keys() {
        let set = variables(key).into_iter().chain(older_variables(key)).find_map(|variable| {
            // An empty variable is as good as none.
            lookup(&variable).filter(|text| !text.is_empty()).map(|text| (variable, text))
        });
        let Some((variable, text)) = set else { continue };
        let value = Value::parse(key, &text)
            .map_err(|wrong| Error::usage(format!("environment variable {variable}: {wrong}")))?;
        let present = || variables(key).swap_remove(0);
        let warning = older_variables(key).any(|older| older == variable).then(|| {
            format!("environment variable {variable} is a name of older versions: use {}", present())
        });
        found.push(Found { key, value, variable, warning });
    }
    Ok(roles(&lookup)?.into_iter().chain(found).collect())
}

/// `Node.Type` of older versions, which is two keys now.
fn roles(lookup: impl Fn(&str) -> Option<String>) -> Result<Vec<Found>, Error> {
    const VARIABLE: &str = "BACALHAU_NODE_TYPE";
    let Some(text) = lookup(VARIABLE).filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
    let keys = older::roles(&text)
        .map_err(|wrong| Error::usage(format!("environment variable {VARIABLE}: {wrong}")))?;
    let found = |key: &'static Key| Found {
        key,
        value: Value::Boolean(true),
        variable: VARIABLE.to_owned(),
        warning: Some(format!(
            "environment variable {VARIABLE} is a name of older versions: use {}",
            variables(key)[0]
        )),
    };
    Ok(keys.into_iter().map(found).collect())
}

/// The variables that set a key, the one it is documented under first.
pub(super) fn variables(key: &Key) -> Vec<String> {
    let suffix = key.name.to_uppercase().replace('.', "_");
    let own = PREFIXES.iter().map(|prefix| format!("{prefix}{suffix}"));
    let other = ALIASES.iter().filter(|(_, name)| *name == key.name).map(|(alias, _)| (*alias).to_owned());
    own.chain(other).collect()
}

/// The variables that set a key in older versions.
fn older_variables(key: &Key) -> impl Iterator<Item = String> {
    let automatic =
        older::names_of(key).map(|name| format!("BACALHAU_{}", name.to_uppercase().replace('.', "_")));
    let name = key.name;
    let own = OLDER.iter().filter(move |(_, key)| *key == name).map(|(variable, _)| (*variable).to_owned());
    own.chain(automatic)
}
