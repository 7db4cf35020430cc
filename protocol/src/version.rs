//! Which program this is.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The version of this program, as in its manifest.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Whether two programs of these versions may be linked: of the same major version, and at most one minor version apart.
pub fn may_link(one: &str, other: &str) -> bool {
    let parse = |version: &str| {
        let mut numbers = version.split('.').map(|number| number.parse::<u64>().ok());
        Some((numbers.next()??, numbers.next()??))
    };
    match (parse(one), parse(other)) {
        (Some((major, minor)), Some((others, minors))) => major == others && minor.abs_diff(minors) <= 1,
        _ => false,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_one_minor_apart_are_linked() {
        for (one, other, expected) in [
            ("1.4.2", "1.4.9", true),
            ("1.4.2", "1.5.0", true),
            ("1.5.0-rc.1", "1.4.2", true),
            ("1.4.2", "1.6.0", false),
            ("1.4.2", "2.4.2", false),
            ("1.4.2", "1", false),
            ("1.4.2", "", false),
        ] {
            assert_eq!((may_link(one, other), may_link(other, one)), (expected, expected), "{one} {other}");
        }
        assert!(may_link(VERSION, VERSION));
    }
}
