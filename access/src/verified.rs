//! Passwords that need no check.

use std::{
    collections::HashMap,
    fmt, mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{PasswordHash, Secret};

/// How long a password that was right is known to be right, and how many are.
const VERIFIED_FOR: Duration = Duration::from_secs(300);
const VERIFIED_MAX: usize = 1024;

/// Passwords that were right a while ago, so that not each request costs what a guess should cost. Known by a code that
/// only this process can make, and that no longer matches when the user's hash is another.
pub(crate) struct Verified {
    key: Zeroizing<[u8; 32]>,
    marks: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Verified {
    /// None is known.
    pub(crate) fn new() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        // Without randomness nothing is kept: see `mark`.
        let _ = getrandom::fill(key.as_mut_slice());
        Self { key, marks: Mutex::default() }
    }

    /// The code of a password for a hash; none without randomness.
    pub(crate) fn mark(&self, hash: &PasswordHash, password: &Secret) -> Option<[u8; 32]> {
        if *self.key == [0; 32] {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).ok()?;
        mac.update(hash.as_str().as_bytes());
        // No hash has it in it, and so no two pairs give one text.
        mac.update(b"\0");
        mac.update(password.expose().as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    /// Whether it was right not too long ago.
    pub(crate) fn contains(&self, mark: &Option<[u8; 32]>, now: Instant) -> bool {
        let Some(mark) = mark else { return false };
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get(mark).is_some_and(|until| *until > now)
    }

    /// It was right.
    pub(crate) fn insert(&self, mark: Option<[u8; 32]>, now: Instant) {
        let Some(mark) = mark else { return };
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= VERIFIED_MAX {
            let known = mem::take(&mut *marks);
            marks.extend(known.into_iter().filter(|(_, until)| *until > now).take(VERIFIED_MAX / 2));
        }
        marks.insert(mark, now + VERIFIED_FOR);
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(…)")
    }
}
