//! `--dir HOST[::GUEST][:ro|:rw]`.

use std::str::FromStr;

use skrei_runtime::{Mode, Mount};

use crate::error::Error;

/// A host path, where the guest finds it, and what it may do there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grant {
    host: String,
    guest: String,
    mode: Mode,
}

impl FromStr for Grant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (paths, mode) = match text.rsplit_once(':') {
            Some((paths, "ro")) => (paths, Mode::ReadOnly),
            Some((paths, "rw")) => (paths, Mode::ReadWrite),
            _ => (text, Mode::ReadOnly),
        };
        let (host, guest) = paths.split_once("::").unwrap_or((paths, paths));
        if host.is_empty() || guest.is_empty() {
            return Err("a path is missing; write `HOST::GUEST`, `HOST::GUEST:rw` or `HOST`".to_owned());
        }
        Ok(Self { host: host.to_owned(), guest: guest.to_owned(), mode })
    }
}

impl Grant {
    /// Opens the host path.
    pub(super) fn open(&self) -> Result<Mount, Error> {
        Mount::open(&self.host, &self.guest, self.mode).map_err(|error| {
            let refused = Error::refused(format!("--dir: {error}"));
            if self.host.contains(':') {
                refused.hint("host and guest path are separated by two colons: `HOST::GUEST`")
            } else {
                refused
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_only_unless_it_says_otherwise() {
        let grant =
            |host: &str, guest: &str, mode| Ok(Grant { host: host.into(), guest: guest.into(), mode });
        for (text, expected) in [
            ("a", grant("a", "a", Mode::ReadOnly)),
            ("a:rw", grant("a", "a", Mode::ReadWrite)),
            ("/a::/b", grant("/a", "/b", Mode::ReadOnly)),
            ("/a::/b:ro", grant("/a", "/b", Mode::ReadOnly)),
            ("/a:b::/c:rw", grant("/a:b", "/c", Mode::ReadWrite)),
        ] {
            assert_eq!(Grant::from_str(text), expected, "{text}");
        }
        assert!(Grant::from_str("::/b").is_err());
        assert!(Grant::from_str("").is_err());
    }
}
