//! Secrets on the way.

use skrei_vault::{Context, Envelope, Opener, Recipient, SealError, SealingKey, Secret};

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

#[test]
fn an_envelope_opens_for_those_it_was_sealed_to_and_for_its_purpose() {
    let (one, two, other) =
        (SealingKey::generate().unwrap(), SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
    let (job, another) = (Context::new("test").with("job"), Context::new("test").with("another job"));
    let envelope = Envelope::new(&Secret::from(b"value".as_slice()), &job).unwrap();
    let content = envelope.content();
    let key_for =
        |key: &SealingKey, node: &str| envelope.key_for(key.recipient(), &job.clone().with(node)).unwrap();
    for (key, node) in [(&one, "one"), (&two, "two")] {
        let sealed = key_for(key, node);
        let of_node = job.clone().with(node);
        assert_eq!(key.open_envelope((&sealed, &of_node), (content, &job)).unwrap().expose(), b"value");
        assert!(key.open_envelope((&sealed, &job), (content, &job)).is_err(), "as another node");
        assert!(key.open_envelope((&sealed, &of_node), (content, &another)).is_err(), "for another job");
        assert!(other.open_envelope((&sealed, &of_node), (content, &job)).is_err(), "another's");
    }
    let second = Envelope::new(&Secret::from(b"value".as_slice()), &job).unwrap();
    let mixed =
        one.open_envelope((&key_for(&one, "one"), &job.clone().with("one")), (second.content(), &job));
    assert_eq!(mixed.unwrap_err(), SealError::NotOpened, "the key of one envelope opens no other");
}

#[test]
fn what_a_sealer_seals_opens_in_any_order_for_its_recipient_and_its_purpose() {
    let (node, other) = (SealingKey::generate().unwrap(), SealingKey::generate().unwrap());
    let sealers = [node.recipient().sealer().unwrap(), node.recipient().sealer().unwrap()];
    let opener = Opener::default();
    let value = |number: usize| Secret::new(format!("value {number}").into_bytes());
    let sealed: Vec<_> = (0..6)
        .map(|number| sealers[number % 2].seal(&value(number), &context(&number.to_string())).unwrap())
        .collect();
    for number in [5, 0, 2, 3, 4, 1] {
        let (sealed, of) = (&sealed[number], context(&number.to_string()));
        assert_eq!(opener.open(&node, sealed, &of).unwrap().expose(), value(number).expose());
        assert_eq!(opener.open(&node, sealed, &context("another")).unwrap_err(), SealError::NotOpened);
        assert_eq!(Opener::default().open(&other, sealed, &of).unwrap_err(), SealError::NotOpened);
        assert!(node.unseal(sealed, &of).is_err(), "it is no secret that was sealed by itself");
    }
}

#[test]
fn what_was_changed_does_not_open_whether_its_key_was_met_before_or_not() {
    let node = SealingKey::generate().unwrap();
    let sealer = node.recipient().sealer().unwrap();
    let secret = Secret::from(b"value".as_slice());
    let (first, second) =
        (sealer.seal(&secret, &context("e-1")).unwrap(), sealer.seal(&secret, &context("e-1")).unwrap());
    assert_ne!(first, second, "no two look the same");
    let met = Opener::default();
    met.open(&node, &first, &context("e-1")).unwrap();
    for opener in [Opener::default(), met] {
        for at in 0..first.len() {
            let mut changed = first.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            // The last characters may have bits that say nothing; such a text is no base64.
            assert!(opener.open(&node, str::from_utf8(&changed).unwrap(), &context("e-1")).is_err(), "{at}");
            assert!(opener.open(&node, &first[..at], &context("e-1")).is_err(), "{at}");
        }
        assert_eq!(opener.open(&node, &second, &context("e-1")).unwrap().expose(), b"value");
    }
}

#[test]
fn nobody_seals_to_a_key_that_nobody_has() {
    let nobody: Recipient = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".parse().unwrap();
    assert_eq!(nobody.sealer().unwrap_err(), SealError::NotSealed);
}
