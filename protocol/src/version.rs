//! Which program this is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The version of this program, as in its manifest.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a program was built as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BuildInfo {
    /// Major number, as text.
    #[serde(rename = "Major")]
    pub major: String,
    /// Minor number, as text.
    #[serde(rename = "Minor")]
    pub minor: String,
    /// `v` and the whole version.
    #[serde(rename = "GitVersion")]
    pub git_version: String,
    /// Commit it was built from, or `unknown`.
    #[serde(rename = "GitCommit")]
    pub git_commit: String,
    /// RFC 3339; clients reject the whole answer if it does not parse.
    #[serde(rename = "BuildDate")]
    pub build_date: String,
    /// Operating system in Go's words.
    #[serde(rename = "GOOS")]
    pub os: String,
    /// Processor architecture in Go's words.
    #[serde(rename = "GOARCH")]
    pub arch: String,
}

impl BuildInfo {
    /// What this program was built as.
    pub fn current() -> Self {
        Self {
            major: env!("CARGO_PKG_VERSION_MAJOR").to_owned(),
            minor: env!("CARGO_PKG_VERSION_MINOR").to_owned(),
            git_version: format!("v{VERSION}"),
            git_commit: option_env!("SKREI_GIT_COMMIT").unwrap_or("unknown").to_owned(),
            build_date: option_env!("SKREI_BUILD_DATE").unwrap_or("1970-01-01T00:00:00Z").to_owned(),
            os: os().to_owned(),
            arch: arch().to_owned(),
        }
    }
}

/// The operating system in Go's words, as labels and build information use them.
pub fn os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    }
}

/// The processor architecture in Go's words.
pub fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
