//! Who may call the API, and what commands show it.

use std::time::Duration;

use skrei_access::{Credential, ProviderSettings, WrittenUser};
use skrei_tls::Trust;

use super::get::Get;
use crate::error::Error;

/// Who may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Callers {
    /// Whether they must say who they are.
    pub(crate) mode: AuthMode,
    /// Those of the configuration.
    pub(crate) users: Vec<WrittenUser>,
    /// Whose tokens are accepted.
    pub(crate) provider: Option<ProviderSettings>,
    /// Further web sites.
    pub(crate) origins: Vec<String>,
    /// A second, of one client; 0 for any number.
    pub(crate) requests: u32,
    /// A minute, of one client.
    pub(crate) failures: u32,
    /// How long it is kept who changed what.
    pub(crate) audit_kept: Duration,
}

/// Whether callers must say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AuthMode {
    /// If there are users, or other machines can reach the API.
    Auto,
    /// No, whoever they are.
    Open,
    /// Yes, also where only this machine can reach it.
    Required,
}

/// What commands show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown(pub(crate) Option<Credential>);

impl Callers {
    pub(super) fn new(get: &Get<'_>) -> Result<Self, Error> {
        Ok(Self {
            mode: match get.text("API.Auth.Mode")?.as_str() {
                "open" => AuthMode::Open,
                "required" => AuthMode::Required,
                _ => AuthMode::Auto,
            },
            users: get.users("API.Auth.Users")?,
            provider: provider(get)?,
            origins: get.list("API.CORS.AllowedOrigins")?,
            requests: number(get, "API.RateLimit.Requests")?,
            failures: number(get, "API.RateLimit.Failures")?,
            audit_kept: get.duration("API.Audit.Retention")?,
        })
    }

    /// Whether anybody is known by the configuration alone.
    pub(crate) fn has_users(&self) -> bool {
        !self.users.is_empty() || self.provider.is_some()
    }
}

impl Shown {
    pub(super) fn new(get: &Get<'_>) -> Result<Self, Error> {
        let (key, user, password) =
            (get.text("API.Key")?, get.text("API.Username")?, get.text("API.Password")?);
        match (key.is_empty(), user.is_empty(), password.is_empty()) {
            (true, true, true) => Ok(Self(None)),
            (false, true, true) => Ok(Self(Some(Credential::bearer(key)))),
            (true, false, false) => Ok(Self(Some(Credential::Password { user, password: password.into() }))),
            (true, ..) => {
                Err(Error::usage("a user's name and password go together, and one of them is missing")
                    .hint("set SKREI_API_USERNAME and SKREI_API_PASSWORD, or SKREI_API_KEY"))
            }
            (false, ..) => {
                Err(Error::usage("an API key and a user's name or password are given: which counts?")
                    .hint("leave out SKREI_API_KEY (API.Key), or SKREI_API_USERNAME and SKREI_API_PASSWORD"))
            }
        }
    }
}

/// None unless any of the keys that a provider needs is set.
fn provider(get: &Get<'_>) -> Result<Option<ProviderSettings>, Error> {
    let text = |key: &str| get.text(&format!("API.Auth.Oauth2.{key}"));
    let ca_file = get.path("API.Auth.Oauth2.CAFile")?;
    let settings = ProviderSettings {
        id: text("ProviderID")?,
        name: text("ProviderName")?,
        issuer: text("Issuer")?,
        audience: text("Audience")?,
        jwks: text("JWKSUri")?,
        algorithms: get.list("API.Auth.Oauth2.Algorithms")?,
        capability_claim: text("CapabilityClaim")?,
        trust: Trust {
            ca_file: Some(ca_file).filter(|path| !path.as_os_str().is_empty()),
            ..Trust::default()
        },
        token_endpoint: text("TokenEndpoint")?,
        device_endpoint: text("DeviceAuthorizationEndpoint")?,
        device_client: text("DeviceClientID")?,
        scopes: get.list("API.Auth.Oauth2.Scopes")?,
        polling_interval: Duration::from_secs(number(get, "API.Auth.Oauth2.PollingInterval")?.into()),
    };
    let is_meant = [&settings.id, &settings.issuer, &settings.audience, &settings.jwks];
    Ok(is_meant.iter().any(|text| !text.is_empty()).then_some(settings))
}

fn number(get: &Get<'_>, key: &str) -> Result<u32, Error> {
    let number = get.number(key)?;
    u32::try_from(number).map_err(|_| Error::usage(format!("{key}: `{number}` is too large")))
}
