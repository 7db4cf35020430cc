//! The forms in which a value turns up in output.

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use zeroize::Zeroizing;

use super::SEARCHED_BYTES_MIN;

/// One form of one secret. It has no `Debug`: the secret is in it.
pub(super) struct Form {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Which of the secrets.
    pub(super) secret: usize,
}

/// Lines of a value are searched for one by one from this length on: shorter ones are found everywhere.
const LINE_BYTES_MIN: usize = 16;

/// Lines of one value that are searched for by themselves: all of a PEM file of the size that a secret may have.
const LINES_MAX: usize = 1024;

/// Values up to this length are searched for in every form: keys, tokens, and chains of certificates. Of a longer one
/// there are fewer forms, so that the secrets of an execution never take much of a node's memory; its lines are searched
/// for as ever.
const EVERY_FORM_BYTES_MAX: usize = 16 << 10;

/// Where `base64` and `openssl` wrap.
const WRAPPED_AT: [usize; 2] = [64, 76];

/// The forms of a value that are searched for; none of one that is too short.
pub(super) fn of(secret: usize, value: &[u8]) -> Vec<Form> {
    if value.len() < SEARCHED_BYTES_MIN {
        return Vec::new();
    }
    let trimmed = Some(value.trim_ascii()).filter(|value| value.len() >= SEARCHED_BYTES_MIN).unwrap_or(value);
    let mut forms = if value.len() <= EVERY_FORM_BYTES_MAX {
        let mut forms = every(trimmed);
        // In base64 its last characters tell of what comes behind; the other forms of it have those of the rest within.
        if trimmed.len() < value.len() {
            forms.push(value.to_vec().into());
            forms.extend((0..3).flat_map(|before| base64(value, before)));
        }
        forms
    } else {
        // As it is, in base64 of the usual alphabet, and hexadecimal.
        let mut forms = vec![trimmed.to_vec().into(), hex(trimmed, false)];
        forms.extend((0..3).flat_map(|before| base64_standard(trimmed, before)));
        forms
    };
    let lines = trimmed.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines = lines.filter(|line| tells_something(line)).take(LINES_MAX);
    forms.extend(lines.map(|line| line.to_vec().into()));
    forms.retain(|form| form.len() >= SEARCHED_BYTES_MIN);
    forms.sort_unstable_by(|one, other| one.as_slice().cmp(other));
    forms.dedup();
    forms.into_iter().map(|bytes| Form { bytes, secret }).collect()
}

/// Every form of a value. Those in which it is as it is without any are left out: they are worked out while the start of
/// an execution is written down, and a guest that writes sooner waits for them.
fn every(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms: Vec<Zeroizing<Vec<u8>>> = vec![value.to_vec().into()];
    forms.extend((0..3).flat_map(|before| base64(value, before)));
    forms.extend([false, true].map(|upper| hex(value, upper)));
    for kept in &PERCENT_KEEPS {
        // Where a space is kept, it becomes a plus.
        if value.iter().any(|byte| *byte == b' ' || !kept[usize::from(*byte)]) {
            forms.extend([false, true].map(|upper| percent(value, kept, upper)));
        }
    }
    if let Ok(text) = str::from_utf8(value) {
        let ascii: &[bool] = if text.is_ascii() { &[false] } else { &[false, true] };
        let slash: &[bool] = if text.contains('/') { &[false, true] } else { &[false] };
        forms.extend(ascii.iter().flat_map(|ascii| slash.iter().map(|slash| json(text, *ascii, *slash))));
    }
    forms
}

/// The frame of a PEM file is the same for everybody.
fn tells_something(line: &[u8]) -> bool {
    line.len() >= LINE_BYTES_MIN && !(line.starts_with(b"-----") && line.ends_with(b"-----"))
}

/// As it is where `before` bytes of something else come before it in a group of three, without the characters that depend
/// on its neighbours; where nothing does, also whole, and wrapped.
fn base64_standard(value: &[u8], before: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let mut padded = Zeroizing::new(vec![0; before]);
    padded.extend_from_slice(value);
    let encoded = Zeroizing::new(BASE64_STANDARD_NO_PAD.encode(&*padded));
    let (first, last) = ((8 * before).div_ceil(6), 8 * padded.len() / 6);
    let own = encoded.as_bytes().get(first..last).unwrap_or_default();
    let mut forms = vec![Zeroizing::new(own.to_vec())];
    if before == 0 {
        forms.push(encoded.as_bytes().to_vec().into());
        for width in WRAPPED_AT {
            let lines: Vec<&[u8]> = encoded.as_bytes().chunks(width).collect();
            forms.push(lines.join(&b'\n').into());
        }
    }
    forms
}

/// The same in both alphabets.
fn base64(value: &[u8], before: usize) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = base64_standard(value, before);
    let other_alphabet = |form: &Zeroizing<Vec<u8>>| {
        let other = |byte: &u8| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        };
        Zeroizing::new(form.iter().map(other).collect::<Vec<u8>>())
    };
    let differs = |form: &&Zeroizing<Vec<u8>>| form.iter().any(|byte| matches!(byte, b'+' | b'/'));
    let url_safe: Vec<_> = forms.iter().filter(differs).map(other_alphabet).collect();
    forms.extend(url_safe);
    forms
}

const DIGITS: [&[u8; 16]; 2] = [b"0123456789abcdef", b"0123456789ABCDEF"];

fn digits(byte: u8, upper: bool) -> [u8; 2] {
    let digits = DIGITS[usize::from(upper)];
    [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]
}

fn hex(value: &[u8], upper: bool) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(vec![0; 2 * value.len()]);
    for (pair, byte) in encoded.chunks_exact_mut(2).zip(value) {
        pair.copy_from_slice(&digits(*byte, upper));
    }
    encoded
}

/// For each byte, whether an encoder leaves it as it is.
type Kept = [bool; 256];

/// Letters, digits, and these.
const fn kept(others: &[u8]) -> Kept {
    let mut kept = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        kept[byte as usize] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < others.len() {
        kept[others[at] as usize] = true;
        at += 1;
    }
    kept
}

/// What encoders leave as it is: by the standard, JavaScript's component, paths, and forms, in which a space is a plus.
static PERCENT_KEEPS: [Kept; 4] = [kept(b"-._~"), kept(b"-._~!'()*"), kept(b"-._~/"), kept(b"-._* ")];

fn percent(value: &[u8], kept: &Kept, upper: bool) -> Zeroizing<Vec<u8>> {
    let escaped = value.iter().filter(|byte| !kept[usize::from(**byte)]).count();
    let mut encoded = Zeroizing::new(Vec::with_capacity(value.len() + 2 * escaped));
    for run in value.chunk_by(|one, next| kept[usize::from(*one)] == kept[usize::from(*next)]) {
        if kept[usize::from(run[0])] {
            let start = encoded.len();
            encoded.extend_from_slice(run);
            encoded[start..].iter_mut().filter(|byte| **byte == b' ').for_each(|space| *space = b'+');
            continue;
        }
        for byte in run {
            encoded.push(b'%');
            encoded.extend(digits(*byte, upper));
        }
    }
    encoded
}

/// Within a JSON text, other characters than ASCII as they are or not, and the slash.
fn json(text: &str, ascii: bool, slash: bool) -> Zeroizing<Vec<u8>> {
    let is_kept = |character: char| match character {
        '"' | '\\' => false,
        '/' => !slash,
        '\u{7f}' => true,
        c if c.is_ascii() => !c.is_ascii_control(),
        _ => !ascii,
    };
    let escaped = text.chars().filter(|c| !is_kept(*c)).count();
    // No escape is longer than two units of UTF-16, six bytes each, in the place of at least one byte.
    let mut encoded = Zeroizing::new(Vec::with_capacity(text.len() + 11 * escaped));
    let mut rest = text;
    while let Some(at) = rest.find(|c| !is_kept(c)) {
        let (run, from_escape) = rest.split_at(at);
        encoded.extend_from_slice(run.as_bytes());
        let mut characters = from_escape.chars();
        if let Some(character) = characters.next() {
            escape(character, &mut encoded);
        }
        rest = characters.as_str();
    }
    encoded.extend_from_slice(rest.as_bytes());
    encoded
}

fn escape(character: char, encoded: &mut Vec<u8>) {
    let short = match character {
        '"' | '\\' | '/' => character as u8,
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\u{8}' => b'b',
        '\u{c}' => b'f',
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let [high, low] = unit.to_be_bytes();
                encoded.extend(b"\\u");
                encoded.extend(digits(high, false));
                encoded.extend(digits(low, false));
            }
            return;
        }
    };
    encoded.extend([b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, form: &str) -> bool {
        of(0, value.as_bytes()).iter().any(|found| found.bytes.as_slice() == form.as_bytes())
    }

    #[test]
    fn a_value_has_its_usual_forms() {
        let value = "pass word/ü\"?";
        for form in [
            "pass word/ü\"?",
            "cGFzcyB3b3JkL8O8Ij8",
            "cGFzcyB3b3JkL8O8Ij8".replace('/', "_").as_str(),
            "7061737320776f72642fc3bc223f",
            "7061737320776F72642FC3BC223F",
            "pass%20word%2F%C3%BC%22%3F",
            "pass%20word/%c3%bc%22%3f",
            "pass+word%2F%C3%BC%22%3F",
            "pass word/ü\\\"?",
            "pass word\\/\\u00fc\\\"?",
        ] {
            assert!(has(value, form), "{form}");
        }
    }

    #[test]
    fn no_form_is_left_out_that_differs_from_the_value() {
        let particular = [" ", "/", "+", "\\", "\"", "ü", "~", "*", "'", "\t", "."];
        for (one, other) in particular.iter().flat_map(|one| particular.map(|other| (*one, other))) {
            let value = format!("pass{one}word{other}s");
            let found = of(0, value.as_bytes());
            let mut wanted = Vec::new();
            for upper in [false, true] {
                wanted.extend(PERCENT_KEEPS.iter().map(|kept| percent(value.as_bytes(), kept, upper)));
                wanted.extend([false, true].map(|ascii| json(&value, ascii, upper)));
                wanted.push(hex(value.as_bytes(), upper));
            }
            wanted.extend((0..3).flat_map(|before| base64(value.as_bytes(), before)));
            for form in wanted.iter().filter(|form| form.len() >= SEARCHED_BYTES_MIN) {
                assert!(found.iter().any(|found| found.bytes == *form), "{value}: {form:?}");
            }
        }
    }

    #[test]
    fn short_values_have_none_and_frames_of_pem_are_no_lines_of_it() {
        assert!(of(0, b"12345").is_empty());
        assert!(has("correct horse battery staple", "correct+horse+battery+staple"));
        assert!(has("correct horse battery staple", "correct%20horse%20battery%20staple"));
        let pem =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAA\nAAAA==\n-----END PRIVATE KEY-----\n";
        assert!(has(pem, "MC4CAQAwBQYDK2VwBCIEIAAA"));
        assert!(!has(pem, "-----BEGIN PRIVATE KEY-----") && !has(pem, "AAAA=="));
    }

    #[test]
    fn the_forms_of_the_largest_secret_are_bounded() {
        let text: String = (0..).map(|number| format!("line number {number:020}\n")).take(2000).collect();
        let value = &text.as_bytes()[..64 << 10];
        let forms = of(0, value);
        let bytes: usize = forms.iter().map(|form| form.bytes.len()).sum();
        assert!(
            forms.len() < LINES_MAX + 20 && bytes < 16 * value.len(),
            "{} forms, {bytes} bytes",
            forms.len()
        );
        assert!(forms.iter().any(|form| form.bytes.as_slice() == value.trim_ascii()));
    }
}
