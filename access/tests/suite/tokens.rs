//! Tokens of an identity provider: the good ones, and every way to be none.

use std::net::{IpAddr, Ipv4Addr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use skrei_access::{Access, Action, Caller, Denied, Provider, ProviderSettings, Resource};

use super::provider::{AUDIENCE, Key, Page, claims, time};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn access(settings: ProviderSettings) -> Access {
    Access::required(Vec::new(), None, Some(Provider::new(settings).unwrap()), 1000)
}

async fn shown(access: &Access, token: &str) -> Result<Caller, Denied> {
    access.identify(Some(&format!("Bearer {token}")), HERE).await
}

#[tokio::test]
async fn a_good_token_says_who_comes_and_what_they_may_do() {
    let key = Key::new("one");
    let page = Page::serving(&[&key]);
    let access = access(page.settings());
    let caller = shown(&access, &key.sign(&claims(json!({})))).await.unwrap();
    assert_eq!(caller.name, "anna");
    assert!(caller.capabilities.allow(Action::Write, Resource::Job));
    assert!(!caller.capabilities.allow(Action::Read, Resource::Node));
    // Clocks may be a little apart.
    for changes in [json!({"exp": time(-30)}), json!({"iat": time(30), "nbf": time(30)})] {
        shown(&access, &key.sign(&claims(changes))).await.unwrap();
    }
    let many = json!({"aud": ["other", AUDIENCE], "permissions": "read:node read:agent"});
    let caller = shown(&access, &key.sign(&claims(many))).await.unwrap();
    assert!(caller.capabilities.allow(Action::Read, Resource::Node));
    // Known, and allowed nothing.
    let caller = shown(&access, &key.sign(&claims(json!({"permissions": null})))).await.unwrap();
    assert!(caller.capabilities.is_empty());
    assert_eq!(page.asked(), 1, "the keys are fetched once");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_said() {
    let (key, stranger) = (Key::new("one"), Key::new("one"));
    let page = Page::serving(&[&key]);
    let access = access(page.settings());
    let cases: &[(Value, &str)] = &[
        (json!({"exp": time(-90)}), "expired"),
        (json!({"exp": null}), "no claim `exp`"),
        (json!({"iat": null}), "no claim `iat`"),
        (json!({"iat": time(120)}), "not valid yet"),
        (json!({"nbf": time(120)}), "not valid yet"),
        (json!({"iss": "https://evil.example.com/"}), "issuer"),
        (json!({"iss": null}), "no claim `iss`"),
        (json!({"aud": "another"}), "audience"),
        (json!({"aud": null}), "no claim `aud`"),
        (json!({"sub": null}), "no claim `sub`"),
        (json!({"sub": ""}), "no claim `sub`"),
    ];
    for (changes, words) in cases {
        let denied = shown(&access, &key.sign(&claims(changes.clone()))).await.unwrap_err();
        assert!(denied.to_string().contains(words), "{changes}: {denied}");
    }
    let forged = stranger.sign(&claims(json!({})));
    let denied = shown(&access, &forged).await.unwrap_err();
    assert!(denied.to_string().contains("signature"), "{denied}");
    // A good signature under other claims.
    let (good, other) = (key.sign(&claims(json!({}))), claims(json!({"permissions": ["*"]})));
    let parts: Vec<&str> = good.split('.').collect();
    let changed = format!("{}.{}.{}", parts[0], BASE64.encode(other.to_string()), parts[2]);
    assert!(shown(&access, &changed).await.is_err());
}

#[tokio::test]
async fn no_token_chooses_how_it_is_checked() {
    let key = Key::new("one");
    let page = Page::serving(&[&key]);
    let access = access(page.settings());
    let body = BASE64.encode(claims(json!({})).to_string());
    for alg in ["none", "None", "NONE", "HS256", "ES384", "RS256"] {
        let header = BASE64.encode(json!({"alg": alg, "typ": "JWT", "kid": "one"}).to_string());
        for signature in ["", "c2ln"] {
            let denied = shown(&access, &format!("{header}.{body}.{signature}")).await.unwrap_err();
            assert!(matches!(denied, Denied::Token(_) | Denied::Key), "{alg}: {denied:?}");
        }
    }
    // The public key is known to all; nobody may make a secret of it.
    let public = serde_json::to_vec(&json!({"keys": "public"})).unwrap();
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let confused = encode(&header, &claims(json!({})), &EncodingKey::from_secret(&public)).unwrap();
    assert!(shown(&access, &confused).await.unwrap_err().to_string().contains("HS256"));
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it_and_made_up_ones_are_not_asked_for_again_and_again() {
    let (old, new) = (Key::new("old"), Key::new("new"));
    let page = Page::serving(&[&old]);
    let access = access(page.settings());
    shown(&access, &old.sign(&claims(json!({})))).await.unwrap();
    page.show(&[&new]);
    // Not so soon after the last time.
    let too_soon = shown(&access, &new.sign(&claims(json!({})))).await.unwrap_err();
    assert!(too_soon.to_string().contains("no such key"), "{too_soon}");
    tokio::time::sleep(std::time::Duration::from_millis(5100)).await;
    shown(&access, &new.sign(&claims(json!({})))).await.unwrap();
    let gone = shown(&access, &old.sign(&claims(json!({})))).await.unwrap_err();
    assert!(gone.to_string().contains("no such key"), "{gone}");
    let made_up = Key::new("made up").sign(&claims(json!({})));
    for _ in 0..20 {
        assert!(shown(&access, &made_up).await.is_err());
    }
    assert_eq!(page.asked(), 2);
    // While the provider is away, what is known counts on.
    page.breaks();
    tokio::time::sleep(std::time::Duration::from_millis(5100)).await;
    assert!(shown(&access, &made_up).await.is_err());
    shown(&access, &new.sign(&claims(json!({})))).await.unwrap();
}

#[tokio::test]
async fn a_provider_that_was_never_there_is_no_reason_to_call_a_token_wrong() {
    let key = Key::new("one");
    let page = Page::serving(&[&key]);
    page.breaks();
    let access = access(page.settings());
    let denied = shown(&access, &key.sign(&claims(json!({})))).await.unwrap_err();
    assert!(matches!(denied, Denied::ProviderAway(_)), "{denied:?}");
}

#[test]
fn settings_that_would_let_anybody_in_are_refused() {
    let good = || Page::serving(&[]).settings();
    let refused = |settings: ProviderSettings| Provider::new(settings).unwrap_err().to_string();
    for (settings, words) in [
        (ProviderSettings { issuer: String::new(), ..good() }, "Issuer"),
        (ProviderSettings { audience: String::new(), ..good() }, "Audience"),
        (ProviderSettings { jwks: String::new(), ..good() }, "JWKSUri"),
        (ProviderSettings { jwks: "http://example.com/keys".to_owned(), ..good() }, "https://"),
        (ProviderSettings { algorithms: vec!["HS256".to_owned()], ..good() }, "HS256"),
        (ProviderSettings { algorithms: vec!["none".to_owned()], ..good() }, "none"),
    ] {
        let refused = refused(settings);
        assert!(refused.contains(words), "{refused}");
    }
}
