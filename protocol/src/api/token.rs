//! Join tokens: what lets nodes in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Body of `POST /orchestrator/join-tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct PostTokenRequest {
    /// How long it lets nodes in, in seconds; 0: without end.
    pub lifetime: u64,
    /// How many nodes it lets in; 0: any number.
    pub uses: u64,
    /// What it is for.
    pub note: String,
}

/// Answer of `POST /orchestrator/join-tokens`. The token can be seen here and never again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PostTokenResponse {
    /// The token.
    pub token: String,
    /// All that can be shown of it.
    #[serde(flatten)]
    pub listed: Token,
}

/// A join token, but for what lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Token {
    /// What it is called.
    #[serde(rename = "ID")]
    pub id: String,
    /// What it is for.
    pub note: String,
    /// `valid`, `expired`, `used up` or `revoked`.
    pub state: String,
    /// RFC 3339.
    pub made: String,
    /// RFC 3339; empty: never.
    pub expires: String,
    /// How many nodes it lets in; 0: any number.
    pub uses: u64,
    /// How many it has let in.
    pub used: u64,
}

/// Answer of `GET /orchestrator/join-tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListTokensResponse {
    /// The newest first.
    pub items: Vec<Token>,
}

/// Answer of `DELETE /orchestrator/join-tokens/{id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RevokeTokenResponse {}

impl std::fmt::Debug for PostTokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostTokenResponse").field("listed", &self.listed).finish_non_exhaustive()
    }
}
