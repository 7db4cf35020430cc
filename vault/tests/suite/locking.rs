//! Secrets on the disk.

use skrei_vault::{Context, KeyRing, LockError, Locked, Secret};

fn context(name: &str) -> Context {
    Context::new("test").with("job").with(name)
}

#[test]
fn what_was_locked_opens_for_its_purpose_and_no_other() {
    let ring = KeyRing::generate().unwrap();
    let locked = ring.lock(&Secret::from(b"value".as_slice()), &context("a")).unwrap();
    let stored = Locked::from_bytes(&locked.to_bytes()).unwrap();
    assert_eq!(ring.unlock(&stored, &context("a")).unwrap().expose(), b"value");
    assert_eq!(ring.unlock(&stored, &context("b")).unwrap_err(), LockError::Changed);
    let other = KeyRing::generate().unwrap();
    assert_eq!(other.unlock(&stored, &context("a")).unwrap_err(), LockError::NoKey(locked.key()));
}

#[test]
fn any_changed_byte_is_noticed() {
    let ring = KeyRing::generate().unwrap();
    let bytes = ring.lock(&Secret::from(b"value".as_slice()), &context("a")).unwrap().to_bytes();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let opened = Locked::from_bytes(&changed).and_then(|locked| ring.unlock(&locked, &context("a")));
        assert!(opened.is_err(), "byte {at}");
        assert!(Locked::from_bytes(&bytes[..at]).and_then(|cut| ring.unlock(&cut, &context("a"))).is_err());
    }
}

#[test]
fn two_locks_of_one_value_have_nothing_in_common() {
    let ring = KeyRing::generate().unwrap();
    let lock = || ring.lock(&Secret::from([7; 64].as_slice()), &context("a")).unwrap().to_bytes();
    let (one, other) = (lock(), lock());
    let same = one.iter().zip(&other).skip(9).filter(|(a, b)| a == b).count();
    assert!(same < one.len() / 4, "{same} of {} bytes are the same", one.len());
}

#[test]
fn after_a_rotation_the_old_key_is_not_needed_and_opens_nothing_new() {
    let old = KeyRing::generate().unwrap();
    let locked = old.lock(&Secret::from(b"value".as_slice()), &context("a")).unwrap();
    let both = old.with_new_key().unwrap();
    assert_eq!(both.unlock(&locked, &context("a")).unwrap().expose(), b"value");
    let again = both.lock_again(&locked, &context("a")).unwrap().unwrap();
    assert_eq!(both.lock_again(&again, &context("a")).unwrap(), None);
    assert!(both.lock_again(&locked, &context("b")).is_err(), "not without its purpose");

    let new = KeyRing::parse(&Secret::from(both.without_older_keys().to_text().expose().as_bytes())).unwrap();
    assert_eq!(new.unlock(&again, &context("a")).unwrap().expose(), b"value");
    assert!(new.unlock(&locked, &context("a")).is_err());
    assert!(old.unlock(&again, &context("a")).is_err());
}
