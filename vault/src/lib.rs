//! Secrets: values that are not shown, locked on disk, sealed on the way, and taken out of output.
//!
//! A [`Secret`] is a value that is overwritten when it is let go and that nothing prints. A [`KeyRing`], read from a
//! [key file](KeyRing::open), locks secrets for the disk into a [`Locked`]; a [`SealingKey`] opens what was
//! [sealed](Recipient::seal) to its [`Recipient`]; an [`Envelope`] is one secret for several of them, and a [`Sealer`] seals
//! many to one. All tie a ciphertext to its [`Context`]. A [`Redactor`] takes secrets out of a stream of bytes. What a secret
//! is for, and who may have it, is not known here.

mod context;
mod envelope;
mod file;
mod fingerprint;
mod key_ring;
mod locked;
mod redact;
mod sealer;
mod sealing;
mod secret;

pub use context::Context;
pub use envelope::Envelope;
pub use fingerprint::Fingerprint;
pub use key_ring::{KeyError, KeyId, KeyRing};
pub use locked::{LockError, Locked};
pub use redact::{Redactor, SEARCHED_BYTES_MIN, Searched};
pub use sealer::{Opener, Sealer};
pub use sealing::{Recipient, SealError, SealingKey};
pub use secret::Secret;
