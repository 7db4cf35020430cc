//! Who calls.

use std::{fmt, time::SystemTime};

use crate::{Capabilities, Denied, KeyDigest, PasswordHash, Proof, User};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's name, or what the identity provider calls them.
    pub name: String,
    /// How they showed it.
    pub method: Method,
    /// What they may do.
    pub capabilities: Capabilities,
    /// By what they are found again.
    pub(crate) shown: Shown,
    /// From then on they are let in no more.
    pub(crate) until: Option<SystemTime>,
}

impl Caller {
    /// A user who showed what they have in this way, unless that has expired.
    pub(crate) fn of(user: &User, method: Method) -> Result<Self, Denied> {
        if user.is_over(SystemTime::now()) {
            return Err(Denied::Expired(user.name.clone()));
        }
        let shown = match &user.proof {
            Proof::Key(digest) => Shown::Key(*digest),
            Proof::Password(hash) => Shown::Password(hash.clone()),
        };
        let (name, capabilities) = (user.name.clone(), user.capabilities.clone());
        Ok(Self { name, method, capabilities, shown, until: user.expires })
    }

    /// Whether they may be let in no more one day: their key may be revoked, or their time be over.
    pub fn may_end(&self) -> bool {
        self.shown != Shown::Nothing || self.until.is_some()
    }
}

/// What a caller is let in by, as far as it is kept: never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing, or a token, which only time ends.
    Nothing,
    /// A key with this digest.
    Key(KeyDigest),
    /// A password with this hash.
    Password(PasswordHash),
}

/// How a caller showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Not at all: nobody asked.
    Open,
    /// By name and password.
    Password,
    /// By an API key.
    Key,
    /// By a token of the identity provider.
    Token,
}

impl Method {
    /// The word in records and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Password => "password",
            Self::Key => "key",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
