//! SHA-256 as people write it.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::Digest;

/// How it is written, for hints.
pub(crate) const FORM: &str = "64 hexadecimal digits, as `sha256sum` prints them";

/// Reads 64 hexadecimal digits, with `sha256:` before them or without, or the base64 form that S3 has.
pub(crate) fn parse(text: &str) -> Option<Digest> {
    let text = text.trim();
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    if let Ok(digest) = format!("sha256:{hex}").parse() {
        return Some(digest);
    }
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    Some(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_and_base64_mean_the_same() {
        let empty = Digest::of(b"");
        let hex = empty.hex();
        for text in [
            &hex,
            &hex.to_uppercase(),
            &format!("sha256:{hex}"),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ] {
            assert_eq!(parse(text), Some(empty), "{text}");
        }
        for text in ["", "e3b0", "47DEQpj8", &format!("md5:{hex}")] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
