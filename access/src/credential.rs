//! What a request shows: the `Authorization` header.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::Secret;

/// Longest header looked at; tokens of identity providers are the longest.
const HEADER_MAX_BYTES: usize = 16 << 10;

/// What a caller shows, and what a client is told to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A user's name and password (`Basic`).
    Password {
        /// Compared without regard to case.
        user: String,
        /// As typed.
        password: Secret,
    },
    /// An API key (`Bearer`).
    Key(Secret),
    /// A token of an identity provider (`Bearer`).
    Token(Secret),
}

impl Credential {
    /// What stands behind `Bearer`: a token if it has the form of one, else a key.
    pub fn bearer(text: String) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            // A JSON object begins with `{"`, which is `eyJ` in base64url.
            [header, _, _] if header.starts_with("eyJ") => Self::Token(Secret::new(text)),
            _ => Self::Key(Secret::new(text)),
        }
    }

    /// Reads the header's value; none if it is of no known kind.
    pub fn parse(header: &str) -> Option<Self> {
        if header.len() > HEADER_MAX_BYTES {
            return None;
        }
        let (scheme, value) = header.trim().split_once(' ')?;
        let value = value.trim();
        if value.is_empty() {
            return None;
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Self::bearer(value.to_owned()));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = BASE64_STANDARD.decode(value).ok()?;
            let decoded = zeroize::Zeroizing::new(String::from_utf8(decoded).ok()?);
            let (user, password) = decoded.split_once(':')?;
            return Some(Self::Password {
                user: user.to_owned(),
                password: Secret::new(password.to_owned()),
            });
        }
        None
    }

    /// The header's value.
    pub fn header(&self) -> Secret {
        Secret::new(match self {
            Self::Password { user, password } => {
                let pair = zeroize::Zeroizing::new(format!("{user}:{}", password.expose()));
                format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes()))
            }
            Self::Key(secret) | Self::Token(secret) => format!("Bearer {}", secret.expose()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again() {
        let password = Credential::Password { user: "anna".to_owned(), password: "a:b c".to_owned().into() };
        let key = Credential::bearer("skrei_abc".to_owned());
        let token = Credential::bearer("eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned());
        assert!(matches!((&key, &token), (Credential::Key(_), Credential::Token(_))));
        for shown in [password, key, token] {
            assert_eq!(Credential::parse(shown.header().expose()), Some(shown));
        }
    }

    #[test]
    fn what_is_no_credential_is_none_and_nothing_prints_a_secret() {
        for header in ["", "Bearer", "Bearer ", "Basic !!!", "Basic YQ==", "Digest x", "bearer"] {
            assert_eq!(Credential::parse(header), None, "{header}");
        }
        assert_eq!(Credential::parse(&format!("Bearer {}", "x".repeat(20_000))), None);
        let shown = format!("{:?}", Credential::parse("bearer hunter22hunter22"));
        assert!(!shown.contains("hunter22"), "{shown}");
    }
}
