//! The keys that lock secrets, and the file they are in.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    Fingerprint, LockError, Secret,
    file::{self, FileError},
    locked::{KEY_BYTES, random_key},
};

/// The keys that lock secrets: new ones are locked with the current key, older keys open what was locked before.
#[derive(Debug)]
pub struct KeyRing {
    current: KeyId,
    keys: BTreeMap<KeyId, Secret<[u8; KEY_BYTES]>>,
    /// Stays the same when keys change, and so do fingerprints.
    fingerprints: Secret<[u8; KEY_BYTES]>,
}

/// Names a key; tells nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; Self::BYTES]);

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be used.
    #[error("key file `{path}`: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: FileError,
    },
    /// A line of it cannot be understood. Lines are not shown.
    #[error("line {line} of the keys {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It has no key, or does not say what fingerprints are made with.
    #[error("the keys are not complete: a line `fingerprints KEY` and a line `key ID KEY` are needed")]
    Incomplete,
    /// There is no file, and something is locked with keys that were in it.
    #[error("key file `{path}` is not there, and there are secrets that are locked with its keys")]
    Missing {
        /// Where it was.
        path: String,
    },
    /// A file would have more keys than are read again.
    #[error("there are {KEYS_MAX} keys already: rotations before did not reach their end")]
    TooMany,
    /// The system gives no randomness.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

impl KeyError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::File { cause: FileError::Open { .. }, .. } => {
                Some("chmod 600 it, if nobody else has read it")
            }
            Self::Missing { .. } => Some(
                "put the file back from where you keep its copy; if it is lost, so are the secrets: an empty file of mode \
                 0600 in its place gets new keys, and every secret is set anew",
            ),
            Self::TooMany => {
                Some("the log names the secrets that do not open: set them anew, or remove them")
            }
            _ => None,
        }
    }
}

/// What a new key file says of itself.
const HEAD: &str = "\
# Keys of secrets kept by skrei. Whoever has this file and the orchestrator's database has the secrets; without it
# the database's secrets are lost. The first key is used for what is new.
";

/// More keys than these have never been needed at once.
const KEYS_MAX: usize = 64;

impl KeyRing {
    /// A ring with one new key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let current = KeyId::random()?;
        Ok(Self { current, keys: BTreeMap::from([(current, random_key()?)]), fingerprints: random_key()? })
    }

    /// The keys of a file. New ones are put into a file that is empty, and into one that does not exist if nothing `needs`
    /// the keys that may have been in it; for its owner alone.
    ///
    /// # Errors
    /// The file cannot be used, others may use it, it has no keys in it, or it is missing and needed.
    pub fn open(path: &Path, needs: bool) -> Result<Self, KeyError> {
        let shown = || path.display().to_string();
        let content = file::read(path).map_err(|cause| KeyError::File { path: shown(), cause })?;
        match content {
            Some(content) if !content.expose().is_empty() => return Self::parse(&content),
            None if needs => return Err(KeyError::Missing { path: shown() }),
            _ => {}
        }
        let ring = Self::generate()?;
        ring.save(path)?;
        Ok(ring)
    }

    /// Replaces a file by one with these keys.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let written = file::replace(path, self.to_text().expose().as_bytes());
        written.map_err(|cause| KeyError::File { path: path.display().to_string(), cause: cause.into() })
    }

    /// Reads what a key file has in it.
    ///
    /// # Errors
    /// It cannot be understood.
    pub fn parse(content: &Secret) -> Result<Self, KeyError> {
        let wrong = |line: usize, what| KeyError::Line { line, what };
        let text = str::from_utf8(content.expose()).map_err(|_| wrong(1, "is no text"))?;
        let (mut current, mut keys, mut fingerprints) = (None, BTreeMap::new(), None);
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                ["fingerprints", key] => {
                    fingerprints =
                        Some(decode(key).ok_or_else(|| wrong(number, "has no key of 32 bytes in base64"))?);
                }
                ["key", id, key] => {
                    let id: KeyId = id.parse().map_err(|_| wrong(number, "has no name of a key"))?;
                    let key = decode(key).ok_or_else(|| wrong(number, "has no key of 32 bytes in base64"))?;
                    current = current.or(Some(id));
                    if keys.insert(id, key).is_some() || keys.len() > KEYS_MAX {
                        return Err(wrong(number, "names a key that was there before, or is one too many"));
                    }
                }
                _ => return Err(wrong(number, "is neither `fingerprints KEY` nor `key ID KEY`")),
            }
        }
        match (current, fingerprints) {
            (Some(current), Some(fingerprints)) => Ok(Self { current, keys, fingerprints }),
            _ => Err(KeyError::Incomplete),
        }
    }

    /// What a key file has in it.
    pub fn to_text(&self) -> Secret<String> {
        // With its room from the start: a text that grows leaves copies behind.
        let mut text = String::with_capacity(HEAD.len() + 128 * (self.keys.len() + 1));
        text.push_str(HEAD);
        let mut line = |name: &str, key: &Secret<[u8; KEY_BYTES]>| {
            text.push_str(name);
            text.push(' ');
            BASE64_STANDARD.encode_string(key.expose(), &mut text);
            text.push('\n');
        };
        line("fingerprints", &self.fingerprints);
        let current = self.keys.get_key_value(&self.current);
        let older = self.keys.iter().filter(|(id, _)| **id != self.current);
        for (id, key) in current.into_iter().chain(older) {
            line(&format!("key {id}"), key);
        }
        Secret::new(text)
    }

    /// The same keys and a new one, which is the current one from now on.
    ///
    /// # Errors
    /// There are too many already, or the system has no randomness.
    pub fn with_new_key(&self) -> Result<Self, KeyError> {
        if self.keys.len() >= KEYS_MAX {
            return Err(KeyError::TooMany);
        }
        let mut ring = self.copy();
        ring.current = KeyId::random()?;
        ring.keys.insert(ring.current, random_key()?);
        Ok(ring)
    }

    /// The current key alone.
    pub fn without_older_keys(&self) -> Self {
        let mut ring = self.copy();
        ring.keys.retain(|id, _| *id == self.current);
        ring
    }

    /// Whether everything locked with this key can be opened.
    pub fn has(&self, key: KeyId) -> bool {
        self.keys.contains_key(&key)
    }

    /// The key that new secrets are locked with.
    pub fn current_key(&self) -> KeyId {
        self.current
    }

    /// How many keys there are beside the current one.
    pub fn older_keys(&self) -> usize {
        self.keys.len() - 1
    }

    /// What people see in the place of a secret.
    pub fn fingerprint(&self, secret: &Secret) -> Fingerprint {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.fingerprints.expose());
        Fingerprint::of_tag(hmac::sign(&key, secret.expose()).as_ref())
    }

    pub(crate) fn current(&self) -> (KeyId, &Secret<[u8; KEY_BYTES]>) {
        // The current one is among the keys, whatever made the ring.
        (self.current, &self.keys[&self.current])
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&Secret<[u8; KEY_BYTES]>> {
        self.keys.get(&id)
    }

    fn copy(&self) -> Self {
        let keys = self.keys.iter().map(|(id, key)| (*id, key.clone())).collect();
        Self { current: self.current, keys, fingerprints: self.fingerprints.clone() }
    }
}

fn decode(text: &str) -> Option<Secret<[u8; KEY_BYTES]>> {
    let decoded = Secret::new(BASE64_STANDARD.decode(text).ok()?);
    let key: [u8; KEY_BYTES] = decoded.expose().as_slice().try_into().ok()?;
    Some(Secret::new(key))
}

impl KeyId {
    pub(crate) const BYTES: usize = 8;

    fn random() -> Result<Self, KeyError> {
        let mut id = [0; Self::BYTES];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(id))
    }

    pub(crate) fn bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

/// Sixteen hexadecimal digits.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

impl From<LockError> for KeyError {
    fn from(_: LockError) -> Self {
        Self::NoRandomness
    }
}
