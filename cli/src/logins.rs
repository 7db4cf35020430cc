//! Files with users, keys and tokens below a data directory, for their owner alone.

use std::{
    collections::BTreeMap,
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use skrei_access::{Secret, UserFile};

use crate::error::Error;

/// Whom a server lets in, beside those of its configuration.
pub(crate) fn users(data_dir: &Path) -> UserFile {
    UserFile::new(data_dir.join("auth/users.json"))
}

/// The key that a server made when it knew nobody; commands on its machine find it by themselves.
pub(crate) fn administrator_key(data_dir: &Path) -> PathBuf {
    data_dir.join("auth/admin.key")
}

/// Seconds since 1970.
pub(crate) fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Writes a file that nobody else can read, whole.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<(), Error> {
    let cannot = |error: io::Error| {
        Error::unavailable(format!("`{}` cannot be written: {error}", path.display()))
            .hint("choose a directory that you may write, with --data-dir")
    };
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(cannot)?;
    }
    skrei_tls::replace(path, content, 0o600).map_err(cannot)
}

/// Tokens of an identity provider, by the endpoint they are for.
#[derive(Debug)]
pub(crate) struct Tokens(PathBuf);

impl Tokens {
    /// Those of a person, in their data directory.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("auth/tokens.json"))
    }

    /// The token for an endpoint, if somebody logged in there.
    ///
    /// # Errors
    /// The file is something else.
    pub(crate) fn get(&self, endpoint: &str) -> Result<Option<Secret>, Error> {
        Ok(self.read()?.remove(endpoint).map(Secret::new))
    }

    /// Keeps a token.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn set(&self, endpoint: &str, token: &Secret) -> Result<(), Error> {
        let mut tokens = self.read()?;
        tokens.insert(endpoint.to_owned(), token.expose().to_owned());
        self.write(&tokens)
    }

    /// Forgets a token; whether there was one.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn remove(&self, endpoint: &str) -> Result<bool, Error> {
        let mut tokens = self.read()?;
        let was_there = tokens.remove(endpoint).is_some();
        if was_there {
            self.write(&tokens)?;
        }
        Ok(was_there)
    }

    fn read(&self) -> Result<BTreeMap<String, String>, Error> {
        match std::fs::read(&self.0) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
                Error::usage(format!("`{}` holds no tokens", self.0.display()))
                    .hint("remove it, and log in again")
            }),
            // Somebody else's directory has nothing to say to us.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) =>
            {
                Ok(BTreeMap::new())
            }
            Err(error) => Err(Error::unavailable(format!("`{}` cannot be read: {error}", self.0.display()))),
        }
    }

    fn write(&self, tokens: &BTreeMap<String, String>) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(tokens);
        write_private(&self.0, &text.map_err(|error| Error::internal(format!("write tokens: {error}")))?)
    }
}
