//! API keys.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::Secret;

/// What every key made here begins with, so that it is recognised where it does not belong.
const PREFIX: &str = "skrei_";

/// A key that was just made; shown once, then known by its digest alone.
#[derive(Debug)]
pub struct ApiKey(Secret);

impl ApiKey {
    /// A new key of 256 random bits.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = zeroize::Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice())?;
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(bytes.as_slice());
        Ok(Self(Secret::new(format!("{PREFIX}{encoded}"))))
    }

    /// The key, to be shown once or written into a file.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> KeyDigest {
        KeyDigest::of(self.0.expose())
    }
}

/// What is kept of a key. A plain digest is enough: unlike a password, a key of 256 bits cannot be guessed.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of this key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Whether both are of one key; takes as long for every answer.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Its beginning, by which people tell keys apart.
    pub fn short(&self) -> String {
        self.0[..4].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl PartialEq for KeyDigest {
    fn eq(&self, other: &Self) -> bool {
        self.is(other)
    }
}

impl Eq for KeyDigest {}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyDigest({}…)", self.short())
    }
}

impl From<KeyDigest> for String {
    fn from(digest: KeyDigest) -> Self {
        format!("sha256:{}", BASE64_URL_SAFE_NO_PAD.encode(digest.0))
    }
}

impl TryFrom<String> for KeyDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let wrong = "a key's digest is `sha256:` and 43 characters of base64url";
        let encoded = text.strip_prefix("sha256:").ok_or(wrong)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| wrong)?;
        bytes.try_into().map(Self).map_err(|_| wrong)
    }
}
