//! Nothing prints a value.

use skrei_vault::{Context, KeyRing, Redactor, SealingKey, Searched, Secret};

#[test]
fn no_type_shows_what_it_keeps() {
    let secret = Secret::from(b"correct horse".as_slice());
    assert_eq!(format!("{secret:?}"), "[secret]");
    let ring = KeyRing::generate().unwrap();
    let text = ring.to_text();
    let shown = format!("{ring:?} {text:?} {:?}", SealingKey::generate().unwrap());
    let keys = text.expose().lines().filter(|line| !line.starts_with('#'));
    for key in keys.filter_map(|line| line.split_whitespace().last()) {
        assert!(!shown.contains(key), "{shown}");
    }
    let locked = ring.lock(&secret, &Context::new("test")).unwrap();
    let mut redactor = Redactor::new(Searched::new(vec![("pw".to_owned(), secret)]));
    redactor.write(b"correct ho", &mut Vec::new());
    let shown = format!("{redactor:?} {locked:?}");
    assert!(!shown.contains("correct") && !shown.contains("99, 111, 114"), "{shown}");
}

#[test]
fn the_same_value_has_the_same_fingerprint_under_the_same_keys_only() {
    let ring = KeyRing::generate().unwrap();
    let [one, other] = [b"value one".as_slice(), b"value two"].map(Secret::from);
    assert_eq!(ring.fingerprint(&one), ring.fingerprint(&one));
    assert_ne!(ring.fingerprint(&one), ring.fingerprint(&other));
    assert_ne!(ring.fingerprint(&one), KeyRing::generate().unwrap().fingerprint(&one));
    let rotated = ring.with_new_key().unwrap().without_older_keys();
    assert_eq!(ring.fingerprint(&one), rotated.fingerprint(&one), "rotation changes no fingerprint");
}
