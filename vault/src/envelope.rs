//! One secret for several recipients.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{
    Context, Recipient, SealError, SealingKey, Secret,
    locked::{self, KEY_BYTES},
};

/// A secret under a key of its own, which is sealed to each recipient: however many there are, the value is there once.
///
/// Value and key have a context each. What whoever opens it must not mistake belongs into both.
#[derive(Debug)]
pub struct Envelope {
    key: Secret,
    content: String,
}

impl Envelope {
    /// Puts a secret into an envelope for a purpose.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn new(secret: &Secret, context: &Context) -> Result<Self, SealError> {
        let key = locked::random_key().map_err(|_| SealError::NotSealed)?;
        let content = locked::encrypt(&key, secret.expose(), context).map_err(|_| SealError::NotSealed)?;
        Ok(Self { key: Secret::from(key.expose().as_slice()), content: BASE64_STANDARD.encode(content) })
    }

    /// The value under its key; text that anybody may see.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// The key for one recipient; text that anybody may see.
    ///
    /// # Errors
    /// The recipient's key is one that nobody honest has, or there is no randomness.
    pub fn key_for(&self, recipient: &Recipient, context: &Context) -> Result<String, SealError> {
        recipient.seal(&self.key, context)
    }
}

impl SealingKey {
    /// Opens an envelope: the key that was sealed to us for one purpose, and with it the content for another.
    ///
    /// # Errors
    /// It was not, or was changed.
    pub fn open_envelope(
        &self,
        (sealed_key, of_key): (&str, &Context),
        (content, of_content): (&str, &Context),
    ) -> Result<Secret, SealError> {
        let key = self.unseal(sealed_key, of_key)?;
        let key = key.expose().first_chunk::<KEY_BYTES>().ok_or(SealError::NotOpened)?;
        let content = BASE64_STANDARD.decode(content).map_err(|_| SealError::NotOpened)?;
        locked::decrypt(&Secret::new(*key), &content, of_content).map_err(|_| SealError::NotOpened)
    }
}
