//! Enough of PEM (RFC 7468) to tell a certificate or a key from anything else. No message quotes the text.

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// How many certificates there are, in words; nothing else may be there.
pub fn certificates(text: &str) -> Result<String, String> {
    let labels = blocks(text)?;
    match labels.iter().find(|label| *label != "CERTIFICATE") {
        Some(other) => Err(format!("holds a block `{other}`, where only certificates belong")),
        None if labels.len() == 1 => Ok("1 certificate".to_owned()),
        None => Ok(format!("{} certificates", labels.len())),
    }
}

/// Exactly one private key.
pub fn private_key(text: &str) -> Result<(), String> {
    let labels = blocks(text)?;
    match labels.as_slice() {
        [key] if key == "PRIVATE KEY" || key.ends_with(" PRIVATE KEY") => Ok(()),
        [other] => Err(format!("holds a block `{other}`, where a private key belongs")),
        several => Err(format!("holds {} PEM blocks, where one private key belongs", several.len())),
    }
}

/// The labels of all blocks, each with a body in base64. Text before, between and after them is allowed, as
/// tools write it.
fn blocks(text: &str) -> Result<Vec<String>, String> {
    let mut labels = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES)) else {
            continue;
        };
        let end = format!("{END}{label}{DASHES}");
        let mut body = String::new();
        loop {
            match lines.next() {
                None => return Err(format!("has a block `{label}` without an end")),
                Some(line) if line == end => break,
                // Headers of encrypted keys in the old form.
                Some(line) if line.contains(':') || line.is_empty() => {}
                Some(line) => body.push_str(line.trim()),
            }
        }
        if !is_base64(&body) {
            return Err(format!("has a block `{label}` whose body is not base64"));
        }
        labels.push(label.to_owned());
    }
    if labels.is_empty() { Err("holds no PEM block (`-----BEGIN ...`)".to_owned()) } else { Ok(labels) }
}

fn is_base64(body: &str) -> bool {
    let digits = body.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !digits.is_empty()
        && body.len().is_multiple_of(4)
        && body.len() - digits.len() <= 2
        && digits.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nTUlJ\nQg==\n-----END CERTIFICATE-----\n";
    const KEY: &str = "-----BEGIN EC PRIVATE KEY-----\r\nTUlJQg==\r\n-----END EC PRIVATE KEY-----\r\n";

    #[test]
    fn chains_and_keys_of_every_kind_are_accepted() {
        assert_eq!(certificates(CERTIFICATE).unwrap(), "1 certificate");
        assert_eq!(
            certificates(&format!("subject\n{CERTIFICATE}\n{CERTIFICATE}")).unwrap(),
            "2 certificates"
        );
        private_key(KEY).unwrap();
    }

    #[test]
    fn anything_else_is_refused_without_being_quoted() {
        let cut = &KEY[..KEY.len() - 10];
        let garbled = KEY.replace("TUlJ", "TU J");
        for (text, part) in [
            ("", "no PEM block"),
            ("secret", "no PEM block"),
            (cut, "without an end"),
            (&garbled, "not base64"),
            (CERTIFICATE, "`CERTIFICATE`"),
        ] {
            let refused = private_key(text).unwrap_err();
            assert!(refused.contains(part) && !refused.contains("TU"), "{refused}");
        }
        assert!(certificates(KEY).unwrap_err().contains("only certificates"));
        assert!(private_key(&format!("{KEY}{KEY}")).unwrap_err().contains("2 PEM blocks"));
    }
}
