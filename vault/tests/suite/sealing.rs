//! Secrets on the way.

use skrei_vault::{Context, Recipient, SealError, SealingKey, Secret};

fn context(execution: &str) -> Context {
    Context::new("test").with("node-1").with(execution).with("privkey")
}

#[test]
fn only_the_recipient_opens_and_only_for_the_same_purpose() {
    let (node, other) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
    let recipient: Recipient = node.recipient().to_string().parse().unwrap();
    let sealed = recipient.seal(&Secret::from(b"value".as_slice()), &context("e-1")).unwrap();
    assert_eq!(node.unseal(&sealed, &context("e-1")).unwrap().expose(), b"value");
    assert_eq!(node.unseal(&sealed, &context("e-2")).unwrap_err(), SealError::NotOpened);
    assert_eq!(other.unseal(&sealed, &context("e-1")).unwrap_err(), SealError::NotOpened);
    for cut in 0..sealed.len() {
        assert!(node.unseal(&sealed[..cut], &context("e-1")).is_err());
    }
}

#[test]
fn keys_that_nobody_has_are_refused() {
    for text in ["", "AAAA", "no base64", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(text.parse::<Recipient>().unwrap_err(), SealError::NotARecipient, "{text}");
    }
    // The point of order one: everybody would know what is sealed to it.
    let nobody: Recipient = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().unwrap();
    assert!(nobody.seal(&Secret::from(b"value".as_slice()), &context("e-1")).is_err());
}
