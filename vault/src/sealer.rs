//! Many secrets for one recipient.
//!
//! To agree on a key costs twenty times what it costs to seal a secret of some kilobytes under it. So one key is sealed to the
//! recipient, and goes with everything that is sealed under it: whoever has seen it need not open it again.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    Context, Recipient, SealError, SealingKey, Secret,
    locked::{self, KEY_BYTES},
    sealing::SEALING_BYTES,
};

/// Seals secrets to one recipient, each for a purpose of its own, under one key.
pub struct Sealer {
    key: Secret<[u8; KEY_BYTES]>,
    /// The key, sealed to the recipient.
    sealed_key: Vec<u8>,
    used: AtomicU32,
}

/// Opens what a [`Sealer`] has sealed; remembers the last key it met.
#[derive(Default)]
pub struct Opener(Mutex<Option<Met>>);

/// A key, sealed and open.
struct Met {
    sealed: Vec<u8>,
    key: Arc<Secret<[u8; KEY_BYTES]>>,
}

/// Secrets under one key. Nonces are random, and of 2^32 under the same key two might be the same (NIST SP 800-38D, 8.3).
const USES_MAX: u32 = 1 << 24;

const SEALED_KEY_BYTES: usize = SEALING_BYTES + KEY_BYTES;

impl Recipient {
    /// For many secrets.
    ///
    /// # Errors
    /// The recipient's key is one that nobody honest has, or there is no randomness.
    pub fn sealer(&self) -> Result<Sealer, SealError> {
        let key = locked::random_key().map_err(|_| SealError::NotSealed)?;
        let sealed_key = self.seal_bytes(key.expose(), &of_key())?;
        Ok(Sealer { key, sealed_key, used: AtomicU32::new(0) })
    }
}

impl Sealer {
    /// Whether it has sealed as many as one key should; then another takes its place.
    pub fn is_used_up(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= USES_MAX
    }

    /// Seals a secret for a purpose; text that anybody may see.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn seal(&self, secret: &Secret, context: &Context) -> Result<String, SealError> {
        self.used.fetch_add(1, Ordering::Relaxed);
        let content =
            locked::encrypt(&self.key, secret.expose(), context).map_err(|_| SealError::NotSealed)?;
        let sealed = [self.sealed_key.as_slice(), content.as_slice()].concat();
        Ok(BASE64_STANDARD.encode(sealed))
    }
}

impl Opener {
    /// Opens what was sealed to this key for this purpose.
    ///
    /// # Errors
    /// It was not, or was changed.
    pub fn open(&self, ours: &SealingKey, sealed: &str, context: &Context) -> Result<Secret, SealError> {
        let bytes = BASE64_STANDARD.decode(sealed).map_err(|_| SealError::NotOpened)?;
        let (sealed_key, content) = bytes.split_at_checked(SEALED_KEY_BYTES).ok_or(SealError::NotOpened)?;
        let open = |key| locked::decrypt(key, content, context).map_err(|_| SealError::NotOpened);
        let met = self.met().as_ref().filter(|met| met.sealed == sealed_key).map(|met| Arc::clone(&met.key));
        if let Some(key) = met {
            return open(&key);
        }
        let key = ours.unseal_bytes(sealed_key, &of_key())?;
        let key = Secret::new(*key.expose().first_chunk().ok_or(SealError::NotOpened)?);
        let secret = open(&key)?;
        *self.met() = Some(Met { sealed: sealed_key.to_vec(), key: Arc::new(key) });
        Ok(secret)
    }

    fn met(&self) -> MutexGuard<'_, Option<Met>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of_key() -> Context {
    Context::new("skrei key of a sealer")
}

/// Nothing of the key.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// Nothing of the keys it has met.
impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}
