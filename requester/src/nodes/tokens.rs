//! Join tokens: made here, shown once, kept as hashes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use skrei_job::Timestamp;
use skrei_protocol::join::JoinToken;
use skrei_tls::Fingerprint;

use crate::{
    clock,
    store::{self, SecretHash, Store, StoredToken},
};

/// Where the token of the first start is kept, for who may read this directory.
const FILE_NAME: &str = "join-token";

/// Tokens that may let somebody in at once: more are made by mistake, or to fill the disk.
const TOKENS_MAX: u64 = 10_000;

/// What a new token is to allow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// In the words of whoever makes it.
    pub(crate) note: String,
    /// None: it never expires.
    pub(crate) lifetime: Option<Duration>,
    /// None: it lets any number of nodes in.
    pub(crate) uses: Option<u64>,
}

/// Why there is no new token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the system has no randomness to give")]
    NoRandomness,
    #[error("there are {TOKENS_MAX} join tokens already that let somebody in")]
    TooMany,
}

/// Why the token of the first start cannot be provided.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error(transparent)]
    Token(#[from] Error),
    #[error("`{}`: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// The token of the first start, in its file.
#[derive(Clone, Debug)]
pub(crate) struct TokenFile {
    /// An absolute path.
    pub(crate) path: PathBuf,
    /// Which token it is. It is remembered, however long it has let nobody in: else it would be made again.
    pub(crate) id: String,
}

/// Makes a token. What is returned is the only time that it can be seen. The token of the file is remembered.
pub(crate) async fn make(
    store: &Store,
    wanted: Wanted,
    authority: Fingerprint,
    file: Option<&TokenFile>,
    now: Timestamp,
) -> Result<(JoinToken, StoredToken), Error> {
    let random = || clock::random().map_err(|_| Error::NoRandomness);
    let [a, b, c, d, ..] = random()?;
    let token = JoinToken::from_random([a, b, c, d], random()?, authority);
    let kept = StoredToken {
        id: token.id.clone(),
        note: wanted.note,
        made: now,
        expires: wanted.lifetime.map(|lifetime| now.after(lifetime)),
        uses: wanted.uses,
        used: 0,
        revoked: false,
    };
    let remembered = file.map(|file| file.id.clone());
    match store.keep_token(kept.clone(), hash(&token.secret), TOKENS_MAX, remembered).await? {
        true => Ok((token, kept)),
        false => Err(Error::TooMany),
    }
}

/// Sees to it that there is a token in a file that this user alone can read: nodes of the same machine and user join
/// with it by themselves, and others with a copy. Made at the first start, and again if the file is removed.
pub(crate) async fn provide_file(
    store: &Store,
    directory: &Path,
    authority: Fingerprint,
) -> Result<TokenFile, FileError> {
    let path = directory.join(FILE_NAME);
    let failed = |source| FileError::Io { path: path.clone(), source };
    let kept = match fs::read_to_string(&path) {
        Ok(text) => text.parse::<JoinToken>().ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(failed(source)),
    };
    // One of a store that was lost is of no use; one that was revoked stays so.
    let mut id = None;
    if let Some(token) = kept
        && store.knows_token(&token.id).map_err(Error::from)?
    {
        id = Some(token.id.clone());
        // Another authority vouches for this orchestrator now.
        if token.authority != authority {
            let token = JoinToken { authority, ..token };
            write(&path, &token).map_err(failed)?;
        }
    }
    let id = match id {
        Some(id) => id,
        None => {
            let wanted = Wanted { note: "made at the first start".to_owned(), ..Wanted::default() };
            let (token, _) = make(store, wanted, authority, None, clock::now()).await?;
            write(&path, &token).map_err(failed)?;
            token.id
        }
    };
    let path = fs::canonicalize(&path).map_err(failed)?;
    Ok(TokenFile { path, id })
}

fn write(path: &Path, token: &JoinToken) -> io::Result<()> {
    skrei_tls::replace(path, format!("{}\n", token.reveal()).as_bytes(), 0o600)
}

/// What is kept of a secret. Secrets are random and long: nothing slower is needed.
pub(crate) fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret).into()
}
