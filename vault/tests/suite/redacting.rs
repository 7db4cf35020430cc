//! What comes out of a redactor.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;
use skrei_vault::{Redactor, Searched, Secret};

/// What comes out if the text is written in pieces that end at `cuts`.
fn redacted(secrets: &[(&str, &[u8])], text: &[u8], cuts: &[usize]) -> Vec<u8> {
    let secrets = secrets.iter().map(|(name, value)| ((*name).to_owned(), Secret::from(*value))).collect();
    let mut redactor = Redactor::new(Searched::new(secrets));
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
    ends.sort_unstable();
    let mut out = Vec::new();
    for window in ends.windows(2) {
        redactor.write(&text[window[0]..window[1]], &mut out);
    }
    redactor.finish(&mut out);
    out
}

fn shown(secret: &str, text: &str) -> String {
    String::from_utf8(redacted(&[("pw", secret.as_bytes())], text.as_bytes(), &[])).unwrap()
}

#[test]
fn a_secret_is_named_and_what_is_around_it_stays() {
    assert_eq!(shown("hunter22", "user=bob pw=hunter22;\n"), "user=bob pw=[secret pw];\n");
    assert_eq!(shown("hunter22", "hunter2 hunter hunter22hunter22"), "hunter2 hunter [secret pw][secret pw]");
    assert_eq!(shown("hunter22\n", "pw=hunter22;"), "pw=[secret pw];", "without the line feed of its file");
    assert_eq!(shown("abcdef", "nothing here"), "nothing here");
    assert_eq!(shown("short", "short"), "short", "too short to be searched for");
}

#[test]
fn what_overlaps_is_one_find() {
    assert_eq!(shown("aaaaaa", "xaaaaaaaay"), "x[secret pw]y");
    let secrets: [(&str, &[u8]); 2] = [("one", b"abcdefgh"), ("two", b"efghijkl")];
    assert_eq!(redacted(&secrets, b"-abcdefghijkl-", &[]), b"-[secret one]-");
}

#[test]
fn the_lines_of_a_key_are_found_one_by_one_and_its_frame_stays() {
    let body = "MC4CAQAwBQYDK2VwBCIEIGNvcnJlY3QgaG9yc2UgYmF0dGVyeSBzdGFwbGUK";
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
    let text = format!("-----BEGIN PRIVATE KEY-----\n> {body} <\n");
    assert_eq!(shown(&pem, &text), "-----BEGIN PRIVATE KEY-----\n> [secret pw] <\n");
    assert_eq!(shown(&pem, &pem), "[secret pw]");
}

#[test]
fn the_beginning_of_a_secret_that_does_not_go_on_comes_out_at_the_end() {
    let mut redactor =
        Redactor::new(Searched::new(vec![("pw".to_owned(), Secret::from(b"hunter22".as_slice()))]));
    let mut out = Vec::new();
    redactor.write(b"see hunter2", &mut out);
    assert_eq!(out, b"see ", "it may still become one");
    redactor.finish(&mut out);
    assert_eq!(out, b"see hunter2");
}

/// Every encoding that is promised, of a value between other things.
fn encodings(value: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![value.to_vec()];
    for before in 0..3 {
        let around = [&b"xyz"[..before], value, b"tail"].concat();
        let encoded = BASE64_STANDARD.encode(around);
        found.push(encoded.replace('+', "-").replace('/', "_").into_bytes());
        found.push(encoded.into_bytes());
    }
    found.push(BASE64_STANDARD.encode(value).into_bytes());
    for format in [|byte: &u8| format!("{byte:02x}"), |byte: &u8| format!("{byte:02X}")] {
        found.push(value.iter().map(format).collect::<String>().into_bytes());
    }
    let percent = |byte: &u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    found.push(value.iter().map(percent).collect::<String>().into_bytes());
    found
}

/// Longest stretch that two texts have in common.
fn in_common(one: &[u8], other: &[u8]) -> usize {
    let mut lengths = vec![0; other.len() + 1];
    let mut longest = 0;
    for byte in one {
        let mut before = 0;
        for (index, of_other) in other.iter().enumerate() {
            let above = std::mem::replace(&mut before, lengths[index + 1]);
            lengths[index + 1] = if byte == of_other { above + 1 } else { 0 };
            longest = longest.max(lengths[index + 1]);
        }
    }
    longest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_encoding_survives_any_split(
        value in proptest::collection::vec(any::<u8>(), 12..80),
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
        around in "[ -~]{0,20}",
    ) {
        for encoded in encodings(&value) {
            let text = [around.as_bytes(), b"=", &encoded, b";", around.as_bytes()].concat();
            let out = redacted(&[("pw", &value)], &text, &cuts);
            // What stands beside it in base64 is left, with a character at each edge that tells of both.
            let left = in_common(&out, &encoded);
            prop_assert!(left <= around.len().max(9), "{left} characters of {} are left", encoded.len());
            prop_assert!(out.windows(11).any(|window| window == b"[secret pw]"));
        }
    }

    #[test]
    fn a_split_makes_no_difference(
        parts in proptest::collection::vec(prop_oneof!["[ab]{1,12}", Just("abababab".to_owned()), Just("aabaab".to_owned())], 0..30),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let text = parts.concat().into_bytes();
        let secrets: [(&str, &[u8]); 2] = [("one", b"abababab"), ("two", b"aabaab")];
        let whole = redacted(&secrets, &text, &[]);
        prop_assert_eq!(&redacted(&secrets, &text, &cuts), &whole);
        for (_, secret) in secrets {
            prop_assert!(!whole.windows(secret.len()).any(|window| window == secret));
        }
    }

    #[test]
    fn output_without_secrets_is_left_alone(text in proptest::collection::vec(any::<u8>(), 0..400), cuts in proptest::collection::vec(any::<usize>(), 0..8)) {
        let secret = b"a value that random bytes do not hit";
        prop_assert_eq!(redacted(&[("pw", secret)], &text, &cuts), text);
    }
}

#[test]
fn a_guest_that_teases_the_search_gains_nothing() {
    // Each byte could begin the secret, and none does in the end.
    let secret = [vec![b'a'; 4096], vec![b'b']].concat();
    let text = vec![b'a'; 4 << 20];
    let started = std::time::Instant::now();
    assert_eq!(redacted(&[("pw", &secret)], &text, &[]), text);
    // Work by the square would take minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(30), "{:?}", started.elapsed());
}
