//! Who vouches for an orchestrator to its nodes, and for them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The authority of the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Authority {
    /// The SHA-256 of its certificate.
    pub fingerprint: String,
    /// The one before, as long as it is believed, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerAuthority>,
}

/// The authority that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FormerAuthority {
    /// The SHA-256 of its certificate.
    pub fingerprint: String,
    /// Nodes that have no certificate of the present one yet.
    pub nodes: Vec<String>,
}

/// A change of the authority.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub struct PostAuthorityRequest {
    /// `rotate`: another in its place, both believed for a while. `drop`: the one before is believed no longer.
    #[schema(required)]
    pub action: String,
}
