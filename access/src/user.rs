//! Users: whoever has a password or a key.

use std::time::SystemTime;

use crate::{
    Capabilities, Capability, KeyDigest, NotACapability, Secret, file::StoredUser, password::PasswordHash,
};

/// Longest name of a user.
const NAME_MAX_CHARS: usize = 100;

/// Bounds of a password that is given as it is, in bytes.
const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 10..=255;

/// Bounds of a key, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 20..=255;

/// A user as a configuration file has it (`API.Auth.Users`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenUser {
    /// What to call the user in records.
    pub alias: String,
    /// What the user logs in as, with a password.
    pub username: String,
    /// As it is, or its hash (argon2, bcrypt).
    pub password: Option<Secret>,
    /// As it is.
    pub api_key: Option<Secret>,
    /// What the user may do.
    pub capabilities: Vec<String>,
}

/// Whoever has a password or a key.
#[derive(Clone, Debug)]
pub struct User {
    pub(crate) name: String,
    pub(crate) proof: Proof,
    pub(crate) capabilities: Capabilities,
    /// From then on the proof is none.
    pub(crate) expires: Option<SystemTime>,
}

/// By what a user is known.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A password.
    Password(PasswordHash),
    /// A key.
    Key(KeyDigest),
}

/// What is wrong with a user. No message shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// A name with other characters, too long, or none.
    #[error("`{0}` is not a name of a user: 1 to 100 letters, digits, `-`, `_`, `.` or `@`")]
    Name(String),
    /// Neither password nor key.
    #[error("user `{0}` has neither `Password` nor `APIKey`")]
    NoProof(String),
    /// Both.
    #[error("user `{0}` has a `Password` and an `APIKey`: make two users of it")]
    TwoProofs(String),
    /// A password that is too short or too long.
    #[error("the password of user `{0}` must have 10 to 255 bytes")]
    Password(String),
    /// A key that is too short or too long.
    #[error("the API key of user `{0}` must have 20 to 255 bytes")]
    Key(String),
    /// It may do nothing.
    #[error("user `{0}` may do nothing: it needs `Capabilities`")]
    NoCapabilities(String),
    /// A word that is no capability.
    #[error("user `{name}`: {source}")]
    Capability {
        /// Whose.
        name: String,
        /// Which.
        source: NotACapability,
    },
    /// The system did not let it be hashed.
    #[error("user `{name}`: {message}")]
    Hash {
        /// Whose.
        name: String,
        /// What is wrong.
        message: String,
    },
}

impl WrittenUser {
    /// Says what is wrong with it.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<(), UserError> {
        let name = self.name();
        check_name(name)?;
        capabilities(name, &self.capabilities)?;
        let name = || name.to_owned();
        match (given(&self.password), given(&self.api_key)) {
            (Some(_), Some(_)) => Err(UserError::TwoProofs(name())),
            (None, None) => Err(UserError::NoProof(name())),
            (Some(password), None) => {
                let is_long_enough = PASSWORD_BYTES.contains(&password.expose().len());
                match PasswordHash::parse(password.expose()) {
                    Some(hash) => {
                        hash.map(|_| ()).map_err(|message| UserError::Hash { name: name(), message })
                    }
                    None if is_long_enough => Ok(()),
                    None => Err(UserError::Password(name())),
                }
            }
            (None, Some(key)) if KEY_BYTES.contains(&key.expose().len()) => Ok(()),
            (None, Some(_)) => Err(UserError::Key(name())),
        }
    }

    /// What the user is called.
    fn name(&self) -> &str {
        if self.username.is_empty() { self.alias.trim() } else { self.username.trim() }
    }
}

fn given(secret: &Option<Secret>) -> Option<&Secret> {
    secret.as_ref().filter(|secret| !secret.expose().is_empty())
}

impl User {
    /// The user that is meant. A password that is given as it is gets hashed, which takes a while.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(written: &WrittenUser) -> Result<Self, UserError> {
        written.check()?;
        let name = written.name().to_owned();
        let capabilities = capabilities(&name, &written.capabilities)?;
        let proof = match (given(&written.password), given(&written.api_key)) {
            (Some(password), _) => Proof::Password(password_hash(&name, password)?),
            (None, Some(key)) => Proof::Key(KeyDigest::of(key.expose())),
            (None, None) => return Err(UserError::NoProof(name)),
        };
        Ok(Self { name, proof, capabilities, expires: None })
    }

    /// A user who is known by a key.
    pub fn with_key(name: &str, key: KeyDigest, capabilities: Capabilities) -> Self {
        Self { name: name.to_owned(), proof: Proof::Key(key), capabilities, expires: None }
    }

    /// What the user is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

impl TryFrom<&StoredUser> for User {
    type Error = UserError;

    fn try_from(stored: &StoredUser) -> Result<Self, UserError> {
        let name = stored.name.clone();
        check_name(&name)?;
        let proof = match (&stored.password, stored.key) {
            (Some(hash), None) => match PasswordHash::parse(hash) {
                Some(Ok(hash)) => Proof::Password(hash),
                Some(Err(message)) => return Err(UserError::Hash { name, message }),
                None => return Err(UserError::Hash { name, message: "its hash cannot be read".to_owned() }),
            },
            (None, Some(key)) => Proof::Key(key),
            (None, None) => return Err(UserError::NoProof(name)),
            (Some(_), Some(_)) => return Err(UserError::TwoProofs(name)),
        };
        let expires = stored.expires.map(|at| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(at));
        Ok(Self { name, proof, capabilities: stored.capabilities.clone(), expires })
    }
}

/// Whether a user may have this name.
pub(crate) fn check_name(name: &str) -> Result<(), UserError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let is_name = (1..=NAME_MAX_CHARS).contains(&name.chars().count()) && name.chars().all(is_allowed);
    if is_name { Ok(()) } else { Err(UserError::Name(name.chars().take(NAME_MAX_CHARS).collect())) }
}

fn capabilities(name: &str, words: &[String]) -> Result<Capabilities, UserError> {
    let granted = words.iter().map(|word| word.parse::<Capability>()).collect::<Result<Capabilities, _>>();
    match granted {
        Ok(granted) if granted.is_empty() => Err(UserError::NoCapabilities(name.to_owned())),
        Ok(granted) => Ok(granted),
        Err(source) => Err(UserError::Capability { name: name.to_owned(), source }),
    }
}

fn password_hash(name: &str, password: &Secret) -> Result<PasswordHash, UserError> {
    PasswordHash::parse(password.expose())
        .unwrap_or_else(|| PasswordHash::of_plain(password.expose()))
        .map_err(|message| UserError::Hash { name: name.to_owned(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, password: &str, key: &str, capabilities: &[&str]) -> WrittenUser {
        let secret = |text: &str| (!text.is_empty()).then(|| Secret::new(text.to_owned()));
        WrittenUser {
            alias: String::new(),
            username: name.to_owned(),
            password: secret(password),
            api_key: secret(key),
            capabilities: capabilities.iter().map(|&word| word.to_owned()).collect(),
        }
    }

    #[test]
    fn a_user_has_one_proof_within_bounds_and_something_to_do() {
        let key = "k".repeat(20);
        let problem = |user: WrittenUser| User::new(&user).unwrap_err().to_string();
        for (user, words) in [
            (written("", "long enough", "", &["*"]), "not a name"),
            (written("a:b", "long enough", "", &["*"]), "not a name"),
            (written(&"a".repeat(101), "long enough", "", &["*"]), "not a name"),
            (written("anna", "", "", &["*"]), "neither"),
            (written("anna", "long enough", &key, &["*"]), "two users"),
            (written("anna", "short", "", &["*"]), "10 to 255"),
            (written("anna", &"x".repeat(256), "", &["*"]), "10 to 255"),
            (written("anna", "", "short", &["*"]), "20 to 255"),
            (written("anna", "long enough", "", &[]), "may do nothing"),
            (written("anna", "long enough", "", &["read:everything"]), "`read:everything`"),
        ] {
            let problem = problem(user);
            assert!(problem.contains(words), "{problem}");
            assert!(!problem.contains("long enough") && !problem.contains("short"), "{problem}");
        }
        assert!(User::new(&written("anna", "", &key, &["read:*"])).is_ok());
        let alias = WrittenUser { alias: "robot".to_owned(), ..written("", "", &key, &["read:*"]) };
        assert_eq!(User::new(&alias).unwrap().name(), "robot");
    }
}
