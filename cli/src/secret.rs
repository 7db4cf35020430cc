//! Private keys, wherever they turn up, are not shown.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// What every PEM private key has in its first line.
const MARK: &str = "PRIVATE KEY-----";

/// Shorter runs of base64 cannot hold a private key's first line and anything after it.
const ENCODED_CHARS_MIN: usize = 48;

/// Whether a text contains a private key, as PEM or as base64 of PEM.
pub(crate) fn is_in(text: &str) -> bool {
    if text.contains(MARK) {
        return true;
    }
    // Base64 may be wrapped over lines, with white space between.
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    dense
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '+' || c == '/'))
        .filter(|run| run.len() >= ENCODED_CHARS_MIN)
        .any(|run| (0..4).any(|offset| decodes_to_key(&run[offset..])))
}

/// The text, or what stands for it if a private key is in it.
pub(crate) fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    if is_in(text) { format!("[private key, {} bytes, not shown]", text.len()).into() } else { text.into() }
}

/// Puts what stands for it in the place of every text with a private key in it.
pub(crate) fn mask(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if is_in(text) => *text = shown(text).into_owned(),
        serde_json::Value::Array(items) => items.iter_mut().for_each(mask),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(mask),
        _ => {}
    }
}

fn decodes_to_key(run: &str) -> bool {
    let whole = &run[..run.len() / 4 * 4];
    let decoded = STANDARD_NO_PAD.decode(whole).unwrap_or_default();
    decoded.windows(MARK.len()).any(|window| window == MARK.as_bytes())
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";

    #[test]
    fn a_key_is_found_plain_encoded_and_within_other_text() {
        let encoded = STANDARD.encode(KEY);
        let wrapped =
            encoded.as_bytes().chunks(76).map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>();
        for text in [KEY.to_owned(), format!("--key={encoded}"), wrapped.join("\n"), format!("x{encoded}")] {
            assert!(is_in(&text), "{text}");
        }
    }

    #[test]
    fn certificates_and_words_are_shown() {
        for text in
            ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "private key"]
        {
            assert_eq!(shown(text), text);
        }
    }
}
