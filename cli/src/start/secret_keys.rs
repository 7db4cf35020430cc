//! Where an orchestrator has the keys of its secrets from.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use skrei_requester::KeySource;
use skrei_vault::Secret;

use crate::error::Error;

/// The credential that a systemd unit may hand over (`LoadCredentialEncrypted=skrei-secret-keys:...`).
const CREDENTIAL: &str = "skrei-secret-keys";

/// Where systemd puts credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The content of a key file, for those who have no other way.
const VARIABLE: &str = "SKREI_SECRET_KEYS";

/// The file below the data directory: beside the orchestrator's own directory and not in it, so that a copy of the
/// one is no copy of the other.
const FILE: &str = "secret-keys";

/// The configured file, else the credential, else the variable, else a file below the data directory.
///
/// # Errors
/// A credential that is there cannot be read.
pub(super) fn source(
    configured: Option<&Path>,
    data_dir: &Path,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<KeySource, Error> {
    if let Some(file) = configured {
        return Ok(KeySource::File(file.to_owned()));
    }
    if let Some(directory) = environment(CREDENTIALS) {
        let path = PathBuf::from(directory).join(CREDENTIAL);
        match std::fs::read(&path) {
            Ok(content) => return Ok(KeySource::Given(Secret::new(content))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("credential `{}` cannot be read: {error}", path.display());
                return Err(Error::unavailable(message));
            }
        }
    }
    match environment(VARIABLE).filter(|content| !content.is_empty()) {
        Some(content) => Ok(KeySource::Given(Secret::new(content.into_encoded_bytes()))),
        None => Ok(KeySource::File(data_dir.join(FILE))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source_with(configured: Option<&str>, variables: &[(&str, &str)]) -> String {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        match source(configured.map(Path::new), Path::new("/data"), environment).unwrap() {
            KeySource::File(path) => format!("file {}", path.display()),
            KeySource::Given(content) => format!("given {}", content.expose().len()),
        }
    }

    #[test]
    fn what_is_configured_counts_before_credential_variable_and_default() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(CREDENTIAL), "12345").unwrap();
        let credentials = (CREDENTIALS, directory.path().to_str().unwrap());
        let variable = (VARIABLE, "123");
        assert_eq!(source_with(Some("/etc/k"), &[credentials, variable]), "file /etc/k");
        assert_eq!(source_with(None, &[credentials, variable]), "given 5");
        assert_eq!(source_with(None, &[(CREDENTIALS, "/no/such"), variable]), "given 3");
        assert_eq!(source_with(None, &[]), "file /data/secret-keys");
    }
}
