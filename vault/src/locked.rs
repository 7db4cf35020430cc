//! Secrets on the disk.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

use crate::{Context, KeyId, KeyRing, Secret};

/// A secret on the disk: under a data key of its own, which is under one of the keys of a [`KeyRing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    key: KeyId,
    data_key: Vec<u8>,
    content: Vec<u8>,
}

/// Why a secret cannot be locked or unlocked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Its key is not on the ring.
    #[error("it was locked with key {0}, which the key file does not have")]
    NoKey(KeyId),
    /// It was changed, or is another secret's.
    #[error("it does not unlock: it was changed, or is not what was locked for this purpose")]
    Changed,
    /// What was stored is not a locked secret.
    #[error("what is stored is not a locked secret")]
    NotLocked,
    /// The system gives no randomness.
    #[error("the system has no randomness to give")]
    NoRandomness,
}

/// Length of a key, and of what goes with a ciphertext.
pub(crate) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const WRAPPED_BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/// The first byte of the stored form.
const VERSION: u8 = 1;

/// What a data key is for: nothing but the content it comes with.
const WRAPPING: &str = "skrei data key";

impl Locked {
    /// The key it is under.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + KeyId::BYTES + WRAPPED_BYTES + self.content.len());
        bytes.push(VERSION);
        bytes.extend(self.key.bytes());
        bytes.extend(&self.data_key);
        bytes.extend(&self.content);
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// It is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LockError> {
        let read = || {
            let (key, rest) = bytes.strip_prefix(&[VERSION])?.split_first_chunk::<{ KeyId::BYTES }>()?;
            let (data_key, content) = rest.split_at_checked(WRAPPED_BYTES)?;
            (content.len() >= NONCE_BYTES + TAG_BYTES).then(|| Self {
                key: KeyId::from_bytes(*key),
                data_key: data_key.to_vec(),
                content: content.to_vec(),
            })
        };
        read().ok_or(LockError::NotLocked)
    }
}

impl KeyRing {
    /// Locks a secret for a purpose, under the current key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn lock(&self, secret: &Secret, context: &Context) -> Result<Locked, LockError> {
        let (key, master) = self.current();
        let data_key = random_key()?;
        Ok(Locked {
            key,
            content: encrypt(&data_key, secret.expose(), context)?,
            data_key: encrypt(master, data_key.expose(), &wrapping(context))?,
        })
    }

    /// Opens what was locked for this purpose.
    ///
    /// # Errors
    /// The key is not here, or what was locked is not what it was.
    pub fn unlock(&self, locked: &Locked, context: &Context) -> Result<Secret, LockError> {
        let data_key = self.data_key(locked, context)?;
        decrypt(&data_key, &locked.content, context)
    }

    /// The same secret under the current key; none if it is already. The secret itself is not opened.
    ///
    /// # Errors
    /// The key is not here, or what was locked is not what it was.
    pub fn lock_again(&self, locked: &Locked, context: &Context) -> Result<Option<Locked>, LockError> {
        let (key, master) = self.current();
        if locked.key == key {
            return Ok(None);
        }
        let data_key = self.data_key(locked, context)?;
        let data_key = encrypt(master, data_key.expose(), &wrapping(context))?;
        Ok(Some(Locked { key, data_key, content: locked.content.clone() }))
    }

    fn data_key(&self, locked: &Locked, context: &Context) -> Result<Secret<[u8; KEY_BYTES]>, LockError> {
        let master = self.key(locked.key).ok_or(LockError::NoKey(locked.key))?;
        let data_key = decrypt(master, &locked.data_key, &wrapping(context))?;
        let data_key = data_key.expose().first_chunk().ok_or(LockError::Changed)?;
        Ok(Secret::new(*data_key))
    }
}

/// A data key belongs to what it opens: it is not good for the content of another row.
fn wrapping(context: &Context) -> Context {
    Context::new(WRAPPING).with(context.bytes())
}

pub(crate) fn random_key() -> Result<Secret<[u8; KEY_BYTES]>, LockError> {
    let mut key = [0; KEY_BYTES];
    let filled = aws_lc_rs::rand::fill(&mut key);
    let key = Secret::new(key);
    filled.map(|()| key).map_err(|_| LockError::NoRandomness)
}

/// Nonce, ciphertext and tag.
pub(crate) fn encrypt(
    key: &Secret<[u8; KEY_BYTES]>,
    plain: &[u8],
    context: &Context,
) -> Result<Vec<u8>, LockError> {
    let cipher = cipher(key)?;
    let mut bytes = Vec::with_capacity(NONCE_BYTES + plain.len() + TAG_BYTES);
    bytes.extend([0; NONCE_BYTES]);
    bytes.extend(plain);
    let (nonce, tag) = cipher
        .seal_in_place_separate_tag(Aad::from(context.bytes()), &mut bytes[NONCE_BYTES..])
        .map_err(|_| LockError::NoRandomness)?;
    bytes[..NONCE_BYTES].copy_from_slice(nonce.as_ref());
    bytes.extend(tag.as_ref());
    Ok(bytes)
}

pub(crate) fn decrypt(
    key: &Secret<[u8; KEY_BYTES]>,
    bytes: &[u8],
    context: &Context,
) -> Result<Secret, LockError> {
    let (nonce, content) = bytes.split_at_checked(NONCE_BYTES).ok_or(LockError::NotLocked)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| LockError::NotLocked)?;
    let mut content = content.to_vec();
    let opened = cipher(key)?.open_in_place(nonce, Aad::from(context.bytes()), &mut content);
    let length = opened.map(|plain| plain.len()).map_err(|_| LockError::Changed)?;
    content.truncate(length);
    Ok(Secret::new(content))
}

fn cipher(key: &Secret<[u8; KEY_BYTES]>) -> Result<RandomizedNonceKey, LockError> {
    // The length is right, so that this does not fail.
    RandomizedNonceKey::new(&AES_256_GCM, key.expose()).map_err(|_| LockError::NotLocked)
}
