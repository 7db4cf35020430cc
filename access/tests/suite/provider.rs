//! An identity provider made of one page and a key: everything about its tokens can be wrong on purpose.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};
use skrei_access::ProviderSettings;

pub(crate) const ISSUER: &str = "https://login.example.com/";
pub(crate) const AUDIENCE: &str = "skrei";

/// A key of the provider, and its name.
pub(crate) struct Key {
    pub(crate) kid: &'static str,
    private: EncodingKey,
}

impl Key {
    pub(crate) fn new(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Self { kid, private: EncodingKey::from_ec_der(&pair.serialize_der()) }
    }

    fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some(self.kid.to_owned());
        serde_json::to_value(jwk).unwrap()
    }

    /// A token signed with this key.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &self.private).unwrap()
    }
}

/// Serves the public halves of some keys.
pub(crate) struct Page {
    address: SocketAddr,
    body: Arc<Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl Page {
    pub(crate) fn serving(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let page = Self { address, body: Arc::default(), asked: Arc::default() };
        page.show(keys);
        let (body, asked) = (Arc::clone(&page.body), Arc::clone(&page.asked));
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let _ = connection.read(&mut [0; 4096]);
                asked.fetch_add(1, Ordering::Relaxed);
                let body = body.lock().unwrap().clone();
                let (status, body) = body.map_or(("500 Broken", String::new()), |body| ("200 OK", body));
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let _ = connection.write_all((head + &body).as_bytes());
            }
        });
        page
    }

    /// From now on these keys.
    pub(crate) fn show(&self, keys: &[&Key]) {
        let keys: Vec<_> = keys.iter().map(|key| key.public()).collect();
        *self.body.lock().unwrap() = Some(json!({"keys": keys}).to_string());
    }

    /// From now on an error.
    pub(crate) fn breaks(&self) {
        *self.body.lock().unwrap() = None;
    }

    /// How often it was asked for.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(crate) fn settings(&self) -> ProviderSettings {
        ProviderSettings {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            jwks: format!("http://{}/keys", self.address),
            algorithms: vec!["RS256".to_owned(), "ES256".to_owned()],
            capability_claim: "permissions".to_owned(),
            ..ProviderSettings::default()
        }
    }
}

/// Seconds since 1970, shifted.
pub(crate) fn time(shift: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + shift
}

/// Claims of a good token, with some of them changed; null takes one out.
pub(crate) fn claims(changes: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "anna", "iat": time(0), "exp": time(600),
        "permissions": ["read:job", "another:word", "write:job"],
    });
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
