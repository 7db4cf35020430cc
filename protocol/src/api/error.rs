//! The error envelope (reference 2.3).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What every answer but a success carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorBody {
    /// Repeats the HTTP status.
    pub status: u16,
    /// For people: the cause first.
    pub message: String,
    /// The request's `X-Request-Id`.
    #[serde(rename = "RequestID", default)]
    pub request_id: String,
    /// For programs.
    pub code: Code,
    /// Which part of the system says so.
    #[serde(default)]
    pub component: String,
    /// The way out, if there is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// More, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
    /// The message again, for clients that are turned away for their version and look here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// The oldest version of a client that is served; for those that are older.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub min_version: String,
    /// The client's version, for the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_version: String,
    /// The server's version, for the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_version: String,
}

/// Codes of the error envelope and the status each goes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Code {
    /// The request cannot be understood.
    BadRequest,
    /// The request is understood and wrong.
    ValidationError,
    /// Nobody knows who is calling.
    Unauthorized,
    /// Whoever is calling may not.
    Forbidden,
    /// No such thing.
    NotFound,
    /// No such thing to do with it.
    MethodNotAllowed,
    /// More than the limit.
    PayloadTooLarge,
    /// Not JSON.
    UnsupportedMediaType,
    /// A websocket is asked for.
    UpgradeRequired,
    /// The client speaks an older API.
    ClientTooOld,
    /// A web page of another origin than those that may.
    OriginNotAllowed,
    /// The job is in a state that does not allow this.
    ConflictJobState,
    /// The new version is the same as the stored one.
    NoChanges,
    /// The short id stands for several jobs.
    MultipleJobsFound,
    /// The short id stands for several nodes.
    MultipleNodesFound,
    /// The node is in that state already, or in one that does not allow this.
    ConflictNodeState,
    /// A limit in number is reached.
    ResourceExhausted,
    /// The service cannot do it now.
    ServiceUnavailable,
    /// Our fault.
    #[serde(other)]
    InternalError,
}

impl Code {
    /// The HTTP status that goes with it.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest | Self::ValidationError => 400,
            Self::Unauthorized => 401,
            Self::ClientTooOld | Self::Forbidden | Self::OriginNotAllowed => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::ConflictJobState
            | Self::NoChanges
            | Self::MultipleJobsFound
            | Self::MultipleNodesFound
            | Self::ConflictNodeState => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::UpgradeRequired => 426,
            Self::ResourceExhausted => 429,
            Self::InternalError => 500,
            Self::ServiceUnavailable => 503,
        }
    }
}

impl ErrorBody {
    /// An error with nothing but its message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            message: message.into(),
            request_id: String::new(),
            code,
            component: "Requester".to_owned(),
            hint: String::new(),
            details: BTreeMap::new(),
            error: String::new(),
            min_version: String::new(),
            client_version: String::new(),
            server_version: String::new(),
        }
    }

    /// The same error with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ErrorBody {}
