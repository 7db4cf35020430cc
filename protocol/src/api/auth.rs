//! Who is calling, and where they can log in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The answer of `GET /auth/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WhoAmI {
    /// What the server calls the caller; `anyone` where it does not ask.
    pub name: String,
    /// How the caller showed it: `password`, `key`, `token`; `open` if nobody asked.
    pub method: String,
    /// What the caller may do.
    pub capabilities: Vec<String>,
}

/// The answer of `GET /agent/authconfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuthConfig {
    /// Of this answer's form.
    pub version: String,
    /// Empty where no identity provider is configured.
    #[serde(default)]
    pub config: LoginConfig,
}

/// Where and how to get a token of the identity provider (reference 3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct LoginConfig {
    /// A short name.
    #[serde(rename = "ProviderID", skip_serializing_if = "String::is_empty")]
    pub provider_id: String,
    /// What people call it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider_name: String,
    /// Where tokens are given out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_endpoint: String,
    /// Where its keys are.
    #[serde(rename = "JWKSUri", skip_serializing_if = "String::is_empty")]
    pub jwks_uri: String,
    /// Who issues tokens.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// What a client calls itself there.
    #[serde(rename = "DeviceClientID", skip_serializing_if = "String::is_empty")]
    pub device_client_id: String,
    /// For whom tokens must be.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// What to ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Where to ask to log in on another device.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub device_authorization_endpoint: String,
    /// Seconds between two questions whether somebody has logged in.
    #[serde(skip_serializing_if = "is_zero")]
    pub polling_interval: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
