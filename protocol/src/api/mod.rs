//! Bodies of the HTTP API v1.

pub mod artifact;
pub mod audit;
pub mod auth;
pub mod authority;
pub mod error;
pub mod event;
pub mod execution;
pub mod history;
pub mod job;
pub mod log;
pub mod node;
pub mod plan;
pub mod resources;
pub mod rollout;
pub mod secret;
pub mod time;
pub mod token;
pub mod told;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every path of the API begins so.
pub const BASE: &str = "/api/v1";

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct List<T> {
    /// Opaque; empty on the last page.
    #[serde(default)]
    pub next_token: String,
    /// Never null.
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
}

impl<T> List<T> {
    /// A list that has no further page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { next_token: String::new(), items }
    }
}

/// The answer of `GET /agent/alive`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Alive {
    /// `OK`.
    pub status: String,
}

/// The answer of `GET /agent/config`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentConfig {
    /// The server's settings in the shape of a configuration file, secrets masked.
    pub config: serde_json::Value,
}
