//! Secrets on the way to one recipient: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM.

use std::{fmt, path::Path, str::FromStr};

use aws_lc_rs::{
    agreement::{PrivateKey, X25519},
    encoding::{AsBigEndian as _, Curve25519SeedBin},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::crypto::{
    aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE,
    hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey},
};

use crate::{Context, KeyError, Secret, file};

/// Opens what was sealed to its [`Recipient`].
pub struct SealingKey {
    private: HpkePrivateKey,
    recipient: Recipient,
}

/// Whom a secret can be sealed to. Its text form is the base64 of an X25519 public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient([u8; PUBLIC_BYTES]);

/// Why something cannot be sealed, or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Text that is no public key.
    #[error("not a sealing key: 32 bytes in base64 are")]
    NotARecipient,
    /// The key is one that no honest recipient has, or there is no randomness.
    #[error("it cannot be sealed to this key")]
    NotSealed,
    /// It is not sealed to this key, or not for this purpose, or was changed.
    #[error("it does not open: it was changed, or sealed to another key or for another purpose")]
    NotOpened,
}

const PUBLIC_BYTES: usize = 32;

/// What sealing adds to a secret: a public key, and the tag of the cipher.
pub(crate) const SEALING_BYTES: usize = PUBLIC_BYTES + 16;
const PRIVATE_BYTES: usize = 32;

/// What every message is for, whatever its context says.
const INFO: &[u8] = b"skrei sealed secret 1";

/// What a new file of a sealing key says of itself.
const HEAD: &str = "# Opens the secrets that are sealed to this node. It stays on this node.\n";

impl SealingKey {
    /// The key of a file. One that does not exist is made, for its owner alone.
    ///
    /// # Errors
    /// The file cannot be used, others may use it, or it has no key in it.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        if let Some(key) = Self::read(path)? {
            return Ok(key);
        }
        let failed = |cause| KeyError::File { path: path.display().to_string(), cause };
        let key = Self::generate()?;
        let mut text = HEAD.to_owned();
        text.reserve(64);
        BASE64_STANDARD.encode_string(key.private.secret_bytes(), &mut text);
        text.push('\n');
        let text = Secret::new(text);
        file::replace(path, text.expose().as_bytes()).map_err(|cause| failed(cause.into()))?;
        Ok(key)
    }

    /// The key of a file; none if it does not exist.
    ///
    /// # Errors
    /// The file cannot be used, others may use it, or it has no key in it.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let content = file::read(path);
        let content = content.map_err(|cause| KeyError::File { path: path.display().to_string(), cause })?;
        content.map(|content| Self::parse(&content)).transpose()
    }

    /// A new key, in memory only.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let key = PrivateKey::generate(&X25519).map_err(|_| KeyError::NoRandomness)?;
        Self::of(&key).ok_or(KeyError::NoRandomness)
    }

    fn parse(content: &Secret) -> Result<Self, KeyError> {
        let wrong = |line| KeyError::Line { line, what: "is no sealing key: 32 bytes in base64 are" };
        let text = str::from_utf8(content.expose()).map_err(|_| wrong(1))?;
        let mut lines =
            (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#') && !line.trim().is_empty());
        let (Some((number, line)), None) = (lines.next(), lines.next()) else { return Err(wrong(1)) };
        let bytes = Secret::new(BASE64_STANDARD.decode(line.trim()).map_err(|_| wrong(number))?);
        if bytes.expose().len() != PRIVATE_BYTES {
            return Err(wrong(number));
        }
        let key = PrivateKey::from_private_key(&X25519, bytes.expose()).map_err(|_| wrong(number))?;
        Self::of(&key).ok_or_else(|| wrong(number))
    }

    fn of(key: &PrivateKey) -> Option<Self> {
        let public = key.compute_public_key().ok()?;
        let private: Curve25519SeedBin<'_> = key.as_be_bytes().ok()?;
        Some(Self {
            private: HpkePrivateKey::from(private.as_ref().to_vec()),
            recipient: Recipient(public.as_ref().try_into().ok()?),
        })
    }

    /// Whom to seal to.
    pub fn recipient(&self) -> &Recipient {
        &self.recipient
    }

    /// Opens what was sealed to this key for this purpose.
    ///
    /// # Errors
    /// It was not, or was changed.
    pub fn unseal(&self, sealed: &str, context: &Context) -> Result<Secret, SealError> {
        self.unseal_bytes(&BASE64_STANDARD.decode(sealed).map_err(|_| SealError::NotOpened)?, context)
    }

    pub(crate) fn unseal_bytes(&self, sealed: &[u8], context: &Context) -> Result<Secret, SealError> {
        let (encapsulated, content) = sealed.split_at_checked(PUBLIC_BYTES).ok_or(SealError::NotOpened)?;
        let encapsulated = EncapsulatedSecret(encapsulated.to_vec());
        let opened = SUITE.open(&encapsulated, INFO, context.bytes(), content, &self.private);
        opened.map(Secret::new).map_err(|_| SealError::NotOpened)
    }
}

impl Recipient {
    /// Seals a secret to this recipient for a purpose; text that anybody may see.
    ///
    /// # Errors
    /// The key is one that no honest recipient has, or there is no randomness.
    pub fn seal(&self, secret: &Secret, context: &Context) -> Result<String, SealError> {
        Ok(BASE64_STANDARD.encode(self.seal_bytes(secret.expose(), context)?))
    }

    pub(crate) fn seal_bytes(&self, secret: &[u8], context: &Context) -> Result<Vec<u8>, SealError> {
        let key = HpkePublicKey(self.0.to_vec());
        let (EncapsulatedSecret(mut sealed), content) =
            SUITE.seal(INFO, context.bytes(), secret, &key).map_err(|_| SealError::NotSealed)?;
        sealed.extend(content);
        Ok(sealed)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Recipient {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| SealError::NotARecipient)?;
        bytes.try_into().map(Self).map_err(|_| SealError::NotARecipient)
    }
}

/// The recipient only.
impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealingKey").field(&self.recipient).finish()
    }
}
