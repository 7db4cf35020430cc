//! The record of who changed what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One call that was to change something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct AuditEntry {
    /// Its number; later calls have larger ones.
    pub seq_num: u64,
    /// When it came (RFC 3339).
    pub time: String,
    /// Who called; empty if nobody knows.
    pub user: String,
    /// How they showed it: `password`, `key`, `token`; `open` if nobody asked.
    pub method: String,
    /// Where it came from: an address.
    pub from: String,
    /// What it was to do: the HTTP method and the route. `several`: calls by nobody that is known, which were counted; how
    /// many is the subject.
    pub action: String,
    /// The path, without the query.
    pub path: String,
    /// What it was about, where the path does not say: the id of a job that was submitted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The caller's own `X-Request-Id`.
    #[serde(rename = "RequestID", default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The HTTP status it was answered with; 0 if it never was.
    pub status: u16,
}
