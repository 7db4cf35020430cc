//! Why somebody is not let in.

use std::time::Duration;

/// Why a caller is not let in. No message tells which part of a secret was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was shown.
    #[error("this server asks who is calling, and the request does not say")]
    Missing,
    /// It cannot be understood.
    #[error("the `Authorization` header is neither `Basic` nor `Bearer`")]
    Unreadable,
    /// No such user, or another password.
    #[error("there is no such user, or the password is another")]
    Password,
    /// No such key.
    #[error("the API key is not known here, or was revoked")]
    Key,
    /// It was good once.
    #[error("the password or key of `{0}` has expired")]
    Expired(String),
    /// The token is not good.
    #[error("the token is not accepted: {0}")]
    Token(String),
    /// It cannot be looked at now.
    #[error("the token cannot be checked now: {0}")]
    ProviderAway(String),
    /// The users cannot be read now.
    #[error("the server cannot read who may call it; its log says more")]
    UsersAway,
    /// More passwords are to be checked than can be.
    #[error("the server has more passwords to check than it can at a time")]
    Busy(Duration),
    /// Too many failures.
    #[error("too many attempts failed; the next one is looked at in {} s", .0.as_secs().max(1))]
    TooOften(Duration),
}
