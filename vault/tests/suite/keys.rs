//! Key files.

use std::os::unix::fs::PermissionsExt as _;

use skrei_vault::{Context, KeyRing, SealingKey, Secret};

#[test]
fn a_key_file_is_made_once_and_for_its_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret-keys");
    let ring = KeyRing::open(&path, false).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    let secret = Secret::from(b"value".as_slice());
    let locked = ring.lock(&secret, &Context::new("test")).unwrap();
    let again = KeyRing::open(&path, false).unwrap();
    assert_eq!(again.unlock(&locked, &Context::new("test")).unwrap().expose(), b"value");

    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = KeyRing::open(&path, false).unwrap_err().to_string();
    assert!(refused.contains("0640") && refused.contains("secret-keys"), "{refused}");
}

#[test]
fn a_file_that_is_needed_and_gone_is_not_replaced_unless_somebody_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret-keys");
    let missing = KeyRing::open(&path, true).unwrap_err();
    assert!(
        missing.to_string().contains("secret-keys") && missing.hint().unwrap().contains("empty file"),
        "{missing}"
    );
    assert!(!path.exists());
    // An empty file says so; one that others may read does not.
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(KeyRing::open(&path, true).unwrap_err().to_string().contains("0644"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let current = KeyRing::open(&path, true).unwrap().current_key();
    assert_eq!(KeyRing::open(&path, true).unwrap().current_key(), current);
}

#[test]
fn no_more_keys_are_made_than_are_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret-keys");
    let mut ring = KeyRing::open(&path, false).unwrap();
    let refused = loop {
        match ring.with_new_key() {
            Ok(more) => ring = more,
            Err(refused) => break refused,
        }
    };
    assert!(refused.to_string().contains("64 keys"), "{refused}");
    ring.save(&path).unwrap();
    assert_eq!(KeyRing::open(&path, true).unwrap().older_keys(), 63);
}

#[test]
fn a_file_with_a_mistake_is_refused_by_its_line_and_not_shown() {
    let wrong = |text: &str| KeyRing::parse(&Secret::from(text.as_bytes())).unwrap_err().to_string();
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert!(wrong("").contains("not complete"));
    assert!(wrong(&format!("fingerprints {key}\n")).contains("not complete"));
    assert!(wrong(&format!("key 00 {key}\nkey 00 {key}\n")).contains("line 2"));
    for line in [format!("key {key}"), "key 00 AAAA".to_owned(), format!("keys 00 {key}")] {
        let message = wrong(&format!("# mine\n{line}\n"));
        assert!(
            message.contains("line 2") && !message.contains("AAAA") && !message.contains(key),
            "{message}"
        );
    }
}

#[test]
fn a_sealing_key_stays_the_same_over_starts() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sealing-key");
    let first = SealingKey::open(&path).unwrap().recipient().to_string();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(SealingKey::open(&path).unwrap().recipient().to_string(), first);
    std::fs::write(&path, "short\n").unwrap();
    assert!(SealingKey::open(&path).unwrap_err().to_string().contains("no sealing key"));
}
