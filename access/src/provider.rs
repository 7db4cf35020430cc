//! An identity provider that speaks OpenID Connect, and its tokens.

mod keys;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, Validation, dangerous, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use serde_json::Value;
use skrei_tls::{Trust, TrustError};

use self::keys::Keys;
use crate::{Caller, Capabilities, Capability, Method, Secret, caller::Shown};

/// How far clocks may be apart.
const LEEWAY: Duration = Duration::from_secs(60);

/// Algorithms that may be allowed. None of them takes a secret that both sides know: who can check such a token could
/// make one as well.
pub const ALGORITHMS: &[&str] =
    &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// An identity provider as it is configured (`API.Auth.Oauth2`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderSettings {
    /// A short name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who must have issued a token.
    pub issuer: String,
    /// For whom a token must be.
    pub audience: String,
    /// Where its keys are (JWKS).
    pub jwks: String,
    /// What tokens may be signed with; of [`ALGORITHMS`].
    pub algorithms: Vec<String>,
    /// The claim that holds capabilities.
    pub capability_claim: String,
    /// Who vouches for the provider.
    pub trust: Trust,
    /// Where clients get tokens.
    pub token_endpoint: String,
    /// Where clients ask to log somebody in on another device.
    pub device_endpoint: String,
    /// What clients call themselves.
    pub device_client: String,
    /// What clients ask for.
    pub scopes: Vec<String>,
    /// How often clients ask whether somebody has logged in.
    pub polling_interval: Duration,
}

/// Checks the tokens of an identity provider.
#[derive(Debug)]
pub struct Provider {
    settings: ProviderSettings,
    algorithms: Vec<Algorithm>,
    keys: Keys,
}

/// What is wrong with a token, or with a provider's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A setting that is needed and missing or wrong.
    #[error("{key}: {problem}")]
    Setting {
        /// Which.
        key: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Its keys cannot be had.
    #[error("the identity provider's keys cannot be had: {0}")]
    Away(String),
    /// Not a token.
    #[error("it is not a token that can be read")]
    Malformed,
    /// Signed in a way that is not allowed.
    #[error("it is signed with `{0}`, which is not allowed here")]
    Algorithm(String),
    /// Signed with a key that the provider does not have.
    #[error("the provider has no such key")]
    UnknownKey,
    /// Not signed by the provider.
    #[error("its signature is wrong")]
    Signature,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come.
    #[error("it is not valid yet")]
    NotYet,
    /// From somebody else.
    #[error("another issuer made it")]
    Issuer,
    /// For somebody else.
    #[error("it is meant for another audience")]
    Audience,
    /// Something that it must say and does not.
    #[error("it has no claim `{0}`")]
    Missing(String),
}

/// What is looked at beside what the library checks itself.
#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    exp: Option<f64>,
    #[serde(flatten)]
    others: serde_json::Map<String, Value>,
}

impl Provider {
    /// A provider with these settings. Its keys are fetched when the first token comes.
    ///
    /// # Errors
    /// A setting that is missing or wrong, or authorities that cannot be read.
    pub fn new(settings: ProviderSettings) -> Result<Self, ProviderError> {
        let setting = |key, problem: &str| ProviderError::Setting { key, problem: problem.to_owned() };
        for (key, value) in [
            ("API.Auth.Oauth2.Issuer", &settings.issuer),
            ("API.Auth.Oauth2.Audience", &settings.audience),
            ("API.Auth.Oauth2.JWKSUri", &settings.jwks),
        ] {
            if value.is_empty() {
                return Err(setting(key, "it is needed: without it, tokens cannot be told from others"));
            }
        }
        let algorithms = settings.algorithms.iter().map(|name| algorithm(name)).collect::<Result<_, _>>()?;
        let keys = Keys::new(&settings.jwks, &settings.trust)?;
        Ok(Self { settings, algorithms, keys })
    }

    /// How it is configured.
    pub fn settings(&self) -> &ProviderSettings {
        &self.settings
    }

    /// Who comes with this token.
    ///
    /// # Errors
    /// Why it is not good, or that its keys cannot be had.
    pub(crate) async fn check(&self, token: &Secret, now: SystemTime) -> Result<Caller, ProviderError> {
        let token = token.expose();
        let header = decode_header(token).map_err(|_| ProviderError::Malformed)?;
        if !self.algorithms.contains(&header.alg) {
            return Err(ProviderError::Algorithm(format!("{:?}", header.alg)));
        }
        let key = self.keys.get(header.kid.as_deref(), header.alg).await?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = LEEWAY.as_secs();
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        let claims = decode::<Claims>(token, &key, &validation).map_err(|error| wrong(error.kind()))?.claims;
        self.caller(claims, now)
    }

    fn caller(&self, claims: Claims, now: SystemTime) -> Result<Caller, ProviderError> {
        let missing = |claim: &str| ProviderError::Missing(claim.to_owned());
        let issued = claims.iat.ok_or_else(|| missing("iat"))?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if issued > (now + LEEWAY).as_secs_f64() {
            return Err(ProviderError::NotYet);
        }
        let name = claims.sub.filter(|name| !name.is_empty()).ok_or_else(|| missing("sub"))?;
        let words = match claims.others.get(&self.settings.capability_claim) {
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(words)) => words.split_whitespace().collect(),
            _ => Vec::new(),
        };
        // Other systems' words may stand beside ours.
        let capabilities: Capabilities =
            words.iter().filter_map(|word| word.parse::<Capability>().ok()).collect();
        let expires = Duration::try_from_secs_f64(claims.exp.ok_or_else(|| missing("exp"))?);
        // A time beyond the calendar is none that would be over.
        let until = expires.ok().and_then(|expires| UNIX_EPOCH.checked_add(expires.saturating_add(LEEWAY)));
        Ok(Caller { name, method: Method::Token, capabilities, shown: Shown::Nothing, until })
    }
}

fn algorithm(name: &str) -> Result<Algorithm, ProviderError> {
    let known = ALGORITHMS.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.and_then(|known| known.parse().ok()).ok_or_else(|| ProviderError::Setting {
        key: "API.Auth.Oauth2.Algorithms",
        problem: format!("`{name}` is not one of {}", ALGORITHMS.join(", ")),
    })
}

fn wrong(kind: &ErrorKind) -> ProviderError {
    match kind {
        ErrorKind::ExpiredSignature => ProviderError::Expired,
        ErrorKind::ImmatureSignature => ProviderError::NotYet,
        ErrorKind::InvalidIssuer => ProviderError::Issuer,
        ErrorKind::InvalidAudience => ProviderError::Audience,
        ErrorKind::MissingRequiredClaim(claim) => ProviderError::Missing(claim.clone()),
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => ProviderError::Signature,
        _ => ProviderError::Malformed,
    }
}

impl From<TrustError> for ProviderError {
    fn from(error: TrustError) -> Self {
        Self::Setting { key: "API.Auth.Oauth2.CAFile", problem: error.to_string() }
    }
}

/// What a token says, for showing it to its owner: nothing is checked.
pub fn claims_unchecked(token: &str) -> Option<Value> {
    dangerous::insecure_decode_claims(token).ok()
}
