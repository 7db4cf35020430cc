//! Passwords, as they are kept.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};

/// Work for bcrypt: twice as much with each step. 12 takes some 200 ms.
const BCRYPT_COST: u32 = 12;

/// bcrypt looks at no more bytes than these.
const BCRYPT_MAX_BYTES: usize = 72;

/// What is kept of a password.
#[derive(Clone)]
pub enum PasswordHash {
    /// As this crate makes it (PHC string).
    Argon2(String),
    /// As Bacalhau makes it (`$2b$12$…`).
    Bcrypt(String),
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Argon2(_) => "Argon2(…)",
            Self::Bcrypt(_) => "Bcrypt(…)",
        })
    }
}

impl PasswordHash {
    /// A hash if the text is one; none for a password as it is.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.starts_with("$argon2") {
            return phc::PasswordHash::new(text).ok().map(|_| Self::Argon2(text.to_owned()));
        }
        let is_bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|version| text.starts_with(version));
        (is_bcrypt && text.parse::<bcrypt::HashParts>().is_ok()).then(|| Self::Bcrypt(text.to_owned()))
    }

    /// What is kept in memory of a password that is given as it is.
    ///
    /// # Errors
    /// As for [`hash`].
    pub(crate) fn of_plain(password: &str) -> Result<Self, String> {
        hash(password).map(Self::Argon2)
    }

    /// Whether this is the password. Slow on purpose: not for a thread that has anything else to do.
    pub(crate) fn verify(&self, password: &str) -> bool {
        match self {
            Self::Argon2(text) => phc::PasswordHash::new(text)
                .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
            Self::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
        }
    }

    /// The hash as text, to tell one from another.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Argon2(text) | Self::Bcrypt(text) => text,
        }
    }
}

/// A hash to keep: argon2id with a salt of its own.
///
/// # Errors
/// What is wrong with the password, or that the system has no randomness.
pub fn hash(password: &str) -> Result<String, String> {
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password(password.as_bytes())
        .map_err(|error| format!("the password cannot be hashed: {error}"))?;
    Ok(hash.to_string())
}

/// The same with bcrypt, for a configuration file that Bacalhau reads, too.
///
/// # Errors
/// If it is longer than bcrypt looks.
pub fn hash_bcrypt(password: &str) -> Result<String, String> {
    if password.len() > BCRYPT_MAX_BYTES {
        return Err(format!("bcrypt looks at {BCRYPT_MAX_BYTES} bytes at most; this password is longer"));
    }
    bcrypt::hash(password, BCRYPT_COST).map_err(|error| format!("the password cannot be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_hash_knows_its_password_and_no_other() {
        let argon = PasswordHash::parse(&hash("correct horse").unwrap()).unwrap();
        let bcrypt = PasswordHash::parse(&bcrypt::hash("correct horse", 4).unwrap()).unwrap();
        for kept in [argon, bcrypt, PasswordHash::of_plain("correct horse").unwrap()] {
            assert!(kept.verify("correct horse"), "{kept:?}");
            for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
                assert!(!kept.verify(wrong), "{kept:?} {wrong}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_a_hash_is_none() {
        for text in ["$argon2id$nonsense", "$2b$12$short", "password", ""] {
            assert!(PasswordHash::parse(text).is_none(), "{text}");
        }
    }
}
