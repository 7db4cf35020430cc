//! Passwords, as they are kept.

use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc},
};

/// Work for bcrypt: twice as much with each step. 12 takes some 200 ms.
const BCRYPT_COST: u32 = 12;

/// bcrypt looks at no more bytes than these.
const BCRYPT_MAX_BYTES: usize = 72;

/// The most work a hash may ask for: whoever logs in has it done, right or wrong. bcrypt takes some three seconds then.
const BCRYPT_COST_MAX: u32 = 16;

/// Memory that argon2 may ask for, in KiB, and how often it may go over it.
const ARGON2_KIB_MAX: u32 = 256 << 10;
const ARGON2_PASSES_MAX: u32 = 16;
const ARGON2_LANES_MAX: u32 = 16;

/// What is kept of a password.
#[derive(Clone, PartialEq, Eq)]
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
    /// A hash if the text means to be one; none for a password as it is.
    ///
    /// # Errors
    /// It cannot be read, or asks for more work than a login may cost.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, String>> {
        if text.starts_with("$argon2") {
            return Some(argon2_of(text));
        }
        let is_bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"].iter().any(|version| text.starts_with(version));
        is_bcrypt.then(|| bcrypt_of(text))
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

fn argon2_of(text: &str) -> Result<PasswordHash, String> {
    const UNREADABLE: &str = "its hash cannot be read: it is no argon2 hash in PHC form";
    let hash = phc::PasswordHash::new(text).map_err(|_| UNREADABLE)?;
    let params = Params::try_from(&hash).map_err(|_| UNREADABLE)?;
    let is_payable = params.m_cost() <= ARGON2_KIB_MAX
        && params.t_cost() <= ARGON2_PASSES_MAX
        && params.p_cost() <= ARGON2_LANES_MAX;
    if !is_payable {
        return Err(format!(
            "its hash asks for more work than a login may cost: {ARGON2_KIB_MAX} KiB, {ARGON2_PASSES_MAX} passes and \
             {ARGON2_LANES_MAX} lanes at most; `skrei auth hash-password` makes one"
        ));
    }
    Ok(PasswordHash::Argon2(text.to_owned()))
}

fn bcrypt_of(text: &str) -> Result<PasswordHash, String> {
    let parts: bcrypt::HashParts =
        text.parse().map_err(|_| "its hash cannot be read: it is no bcrypt hash".to_owned())?;
    if parts.get_cost() > BCRYPT_COST_MAX {
        return Err(format!(
            "its hash asks for more work than a login may cost: bcrypt's cost is {BCRYPT_COST_MAX} at most"
        ));
    }
    Ok(PasswordHash::Bcrypt(text.to_owned()))
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
        let parse = |text: &str| PasswordHash::parse(text).unwrap().unwrap();
        let (argon, bcrypt) =
            (parse(&hash("correct horse").unwrap()), parse(&bcrypt::hash("correct horse", 4).unwrap()));
        for kept in [argon, bcrypt, PasswordHash::of_plain("correct horse").unwrap()] {
            assert!(kept.verify("correct horse"), "{kept:?}");
            for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
                assert!(!kept.verify(wrong), "{kept:?} {wrong}");
            }
        }
    }

    #[test]
    fn a_broken_hash_is_no_password_and_one_that_costs_too_much_is_refused() {
        for text in ["password", ""] {
            assert!(PasswordHash::parse(text).is_none(), "{text}");
        }
        let salted = "c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let dear = bcrypt::hash("correct horse", 4).unwrap().replacen("$04$", "$31$", 1);
        for (text, word) in [
            ("$argon2id$nonsense", "cannot be read"),
            ("$2b$12$short", "cannot be read"),
            (dear.as_str(), "more work"),
            (&format!("$argon2id$v=19$m=4194304,t=2,p=1${salted}"), "more work"),
            (&format!("$argon2id$v=19$m=19456,t=4000,p=1${salted}"), "more work"),
            (&format!("$argon2id$v=19$m=19456,t=2,p=200${salted}"), "more work"),
        ] {
            let refused = PasswordHash::parse(text).unwrap().unwrap_err();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
