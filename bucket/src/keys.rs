//! Credentials.

use std::fmt;

use zeroize::Zeroizing;

/// An access key of S3. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Who it is; no secret, and not shown either.
    pub id: String,
    /// The secret.
    pub secret: Zeroizing<String>,
    /// Of a session, if they are lent for a while.
    pub session: Option<Zeroizing<String>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(not shown)")
    }
}
