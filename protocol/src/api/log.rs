//! Frames of the log websocket (reference 4).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One text frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogFrame {
    /// Always there; empty beside an error.
    pub value: LogLine,
    /// What went wrong; left out if nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// A piece of output, as a line with its line feed where possible.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LogLine {
    /// [`STDOUT`] or [`STDERR`].
    #[serde(rename = "Type")]
    pub kind: u8,
    /// Verbatim.
    pub line: String,
    /// When the line was begun, RFC 3339; there if it was asked for. Not in Bacalhau.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

/// Standard output.
pub const STDOUT: u8 = 1;
/// Standard error.
pub const STDERR: u8 = 2;

impl LogFrame {
    /// A frame that tells why there is no more.
    pub fn error(message: impl Into<String>) -> Self {
        Self { value: LogLine::default(), error: message.into() }
    }
}
