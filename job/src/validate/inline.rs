//! Data URLs: content carried in the job itself (RFC 2397).

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Why a data URL was refused; the content itself is never shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) message: &'static str,
    pub(super) hint: &'static str,
}

/// Padding may be missing: people cut it off.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a data URL carries.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A file.
    File(Vec<u8>),
    /// A directory, as a compressed tar archive.
    Archive(Vec<u8>),
}

/// The content of a data URL.
pub(super) fn decode(url: &str) -> Result<Content, Refused> {
    let Some((scheme, rest)) = url.trim().split_once(':') else { return Err(NOT_A_DATA_URL) };
    if !scheme.eq_ignore_ascii_case("data") {
        return Err(NOT_A_DATA_URL);
    }
    let Some((head, body)) = rest.split_once(',') else { return Err(NOT_A_DATA_URL) };
    let mut parts = head.split(';').map(|part| part.trim().to_ascii_lowercase());
    let media_type = parts.next().unwrap_or_default();
    let is_base64 = parts.any(|part| part == "base64");
    let bytes = if is_base64 { base64_decoded(body) } else { percent_decoded(body) }?;
    Ok(match media_type.as_str() {
        "application/gzip" | "application/x-gzip" | "application/tar+gzip" => Content::Archive(bytes),
        _ => Content::File(bytes),
    })
}

fn base64_decoded(body: &str) -> Result<Vec<u8>, Refused> {
    let compact: Vec<u8> = percent_decoded(body)?.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
    BASE64.decode(compact).map_err(|_| Refused {
        message: "the data after `base64,` is not base64",
        hint: "use the standard alphabet (`base64 FILE`); line breaks are fine",
    })
}

const NOT_A_DATA_URL: Refused = Refused {
    message: "an `inline` source takes a data URL",
    hint: "`data:text/plain,Hello` or `data:;base64,SGVsbG8=`",
};

fn percent_decoded(text: &str) -> Result<Vec<u8>, Refused> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        match digit().zip(digit()) {
            // Two hexadecimal digits never exceed a byte.
            Some((high, low)) => decoded.push((high * 16 + low) as u8),
            None => {
                return Err(Refused {
                    message: "a `%` in the data URL is not followed by two hexadecimal digits",
                    hint: "write `%25` for a percent sign, or use base64",
                });
            }
        }
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_percent_and_base64_data_are_decoded() {
        for (url, expected) in [
            ("data:,hello%20world", "hello world"),
            ("data:text/plain;charset=utf-8,a,b", "a,b"),
            ("data:;base64,aGVs\n  bG8=", "hello"),
            ("DATA:text/plain;BASE64,aGVsbG8", "hello"),
            ("data:;base64,aGVsbG8%3D", "hello"),
            ("data:,", ""),
        ] {
            assert_eq!(decode(url), Ok(Content::File(expected.into())), "{url}");
        }
    }

    #[test]
    fn what_says_it_is_gzip_is_an_archive() {
        assert_eq!(decode("data:application/gzip;base64,aGVsbG8="), Ok(Content::Archive(b"hello".to_vec())));
    }

    #[test]
    fn anything_else_is_refused() {
        for url in ["", "http://x", "data:", "data:;base64,!", "data:,%", "data:,%g1"] {
            assert!(decode(url).is_err(), "{url}");
        }
    }
}
