//! The keys of an identity provider, fetched when they are needed and again when they changed.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, Shared},
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, PublicKeyUse},
};
use reqwest::{Client, Url, redirect::Policy};
use skrei_tls::Trust;

use super::ProviderError;

/// How long keys count without being fetched again: so long a key that the provider took back is still believed.
const FRESH_FOR: Duration = Duration::from_secs(600);

/// How long keys count while the provider does not answer.
const KEPT_FOR: Duration = Duration::from_secs(86_400);

/// The shortest time from one fetch to the next: whoever makes tokens up cannot make us ask all the time.
const PAUSE: Duration = Duration::from_secs(5);

/// How long the provider may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Largest set of keys.
const BODY_MAX_BYTES: usize = 256 << 10;

/// The keys as they were fetched last.
pub(super) struct Keys {
    http: Client,
    url: Url,
    known: Arc<Mutex<Known>>,
}

type Fetch = Shared<BoxFuture<'static, Result<(), String>>>;

#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    fetched: Option<Instant>,
    /// The last time they were asked for, with success or without.
    asked: Option<Instant>,
    /// For everybody who waits for it.
    under_way: Option<Fetch>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.url)
    }
}

impl Keys {
    pub(super) fn new(url: &str, trust: &Trust) -> Result<Self, ProviderError> {
        let setting = |problem: &str| ProviderError::Setting {
            key: "API.Auth.Oauth2.JWKSUri",
            problem: format!("`{url}` {problem}"),
        };
        let url = Url::parse(url).map_err(|_| setting("is not a URL"))?;
        let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && is_here) {
            return Err(setting(
                "is not an https:// URL: on the way, anybody could put in keys of their own",
            ));
        }
        let http = Client::builder()
            .timeout(TIME_MAX)
            .redirect(Policy::none())
            .tls_backend_preconfigured(trust.client_config()?)
            .build()
            .map_err(|error| setting(&error.to_string()))?;
        Ok(Self { http, url, known: Arc::default() })
    }

    /// The key of this name for this algorithm. Without a name there must be one for the algorithm alone.
    pub(super) async fn get(&self, kid: Option<&str>, alg: Algorithm) -> Result<DecodingKey, ProviderError> {
        let fetch = {
            let mut known = self.known();
            let now = Instant::now();
            let found = known.find(kid, alg);
            let is_fresh = known.fetched.is_some_and(|at| now - at < FRESH_FOR);
            let may_ask = known.asked.is_none_or(|at| now - at >= PAUSE);
            match (found, known.under_way.clone()) {
                (Some(key), _) if is_fresh => return decoding(key),
                (_, Some(fetch)) => fetch,
                (_, None) if may_ask => {
                    known.asked = Some(now);
                    known.under_way.insert(self.fetch()).clone()
                }
                (Some(key), None) if known.counts(now) => return decoding(key),
                (_, None) if known.counts(now) => return Err(ProviderError::UnknownKey),
                (_, None) => return Err(ProviderError::Away("it did not answer a moment ago".to_owned())),
            }
        };
        let fetched = fetch.await;
        let known = self.known();
        match (fetched, known.find(kid, alg)) {
            (Ok(()), Some(key)) => decoding(key),
            (Ok(()), None) => Err(ProviderError::UnknownKey),
            (Err(_), Some(key)) if known.counts(Instant::now()) => decoding(key),
            (Err(cause), _) => Err(ProviderError::Away(cause)),
        }
    }

    /// Asks the provider. What is begun is waited for by all who need it, and ended by any of them.
    fn fetch(&self) -> Fetch {
        let (http, url, known) = (self.http.clone(), self.url.clone(), Arc::clone(&self.known));
        let fetch = async move {
            let fetched = ask(&http, url).await;
            let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.under_way = None;
            match fetched {
                Ok(keys) => {
                    known.keys = keys;
                    known.fetched = Some(Instant::now());
                    Ok(())
                }
                Err(cause) => {
                    tracing::warn!("the keys of the identity provider cannot be had: {cause}");
                    Err(cause)
                }
            }
        };
        fetch.boxed().shared()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn counts(&self, now: Instant) -> bool {
        self.fetched.is_some_and(|at| now - at < KEPT_FOR)
    }

    fn find(&self, kid: Option<&str>, alg: Algorithm) -> Option<&Jwk> {
        let mut suitable = self.keys.iter().filter(|key| is_for(key, alg));
        match kid {
            Some(kid) => suitable.find(|key| key.common.key_id.as_deref() == Some(kid)),
            None => suitable.next().filter(|_| suitable.next().is_none()),
        }
    }
}

/// Whether a key is for signatures of this algorithm. The key's kind decides, not what a token says of itself.
fn is_for(key: &Jwk, alg: Algorithm) -> bool {
    let common = &key.common;
    let is_for_signatures =
        common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let is_of_algorithm =
        common.key_algorithm.is_none_or(|written| written.to_string() == format!("{alg:?}"));
    is_for_signatures
        && is_of_algorithm
        && DecodingKey::from_jwk(key).is_ok_and(|key| key.family() == alg.family())
}

fn decoding(key: &Jwk) -> Result<DecodingKey, ProviderError> {
    DecodingKey::from_jwk(key).map_err(|_| ProviderError::UnknownKey)
}

async fn ask(http: &Client, url: Url) -> Result<Vec<Jwk>, String> {
    let words = |error: reqwest::Error| {
        let error = error.without_url();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            cause = next;
        }
        format!("{error} ({cause})")
    };
    let answer = http.get(url).send().await.map_err(words)?.error_for_status().map_err(words)?;
    let (mut body, mut chunks) = (Vec::new(), answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(words)?);
        if body.len() > BODY_MAX_BYTES {
            return Err(format!("its answer has more than {BODY_MAX_BYTES} bytes"));
        }
    }
    let set: JwkSet =
        serde_json::from_slice(&body).map_err(|error| format!("its answer is no set of keys: {error}"))?;
    Ok(set.keys)
}
