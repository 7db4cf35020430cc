//! What people see in the place of a secret.

use std::{fmt, str::FromStr};

/// Tells whether a value is the one of yesterday, and nothing about it to those without the key it was made with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; Self::BYTES]);

impl Fingerprint {
    /// Enough that two values never have the same one.
    const BYTES: usize = 16;

    /// Digits that people get to see.
    const SHOWN_CHARS: usize = 8;

    /// The first bytes of a longer tag.
    pub(crate) fn of_tag(tag: &[u8]) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes.iter_mut().zip(tag).for_each(|(byte, of_tag)| *byte = *of_tag);
        Self(bytes)
    }

    /// The first digits, for people.
    pub fn short(&self) -> String {
        let mut digits = self.to_string();
        digits.truncate(Self::SHOWN_CHARS);
        digits
    }
}

/// All digits, hexadecimal.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: 32 hexadecimal digits are")]
pub struct NotAFingerprint;

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, NotAFingerprint> {
        // Of the parser's own, `+1` is a number.
        if text.len() != 2 * Self::BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAFingerprint);
        }
        let mut bytes = [0; Self::BYTES];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = str::from_utf8(digits).map_err(|_| NotAFingerprint)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| NotAFingerprint)?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_comes_back_from_its_digits() {
        let fingerprint = Fingerprint::of_tag(&[0xab; 32]);
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.short(), "abababab");
        for text in ["", "ab", &"+1".repeat(16), &"é".repeat(16)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
    }
}
