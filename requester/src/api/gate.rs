//! Who calls, and what answers: the version of a client is looked at, and that of the server goes with every answer
//! (reference 2.1 and 2.2).

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use skrei_protocol::{
    api::error::{Code, ErrorBody},
    version::BuildInfo,
};

use super::error::ApiError;

/// How much of what is no version is repeated.
const VERSION_SHOWN_CHARS: usize = 40;

const CLIENT_VERSION: &str = "x-bacalhau-git-version";

/// The oldest version of a client that speaks this API.
const VERSION_MIN: Version = Version { numbers: [1, 4, 0], is_release: true };

/// A version as far as it is compared: a pre-release comes before its release (Semantic Versioning 2.0.0, 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    numbers: [u64; 3],
    is_release: bool,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre_release) = match text.split_once('-') {
            Some((numbers, pre_release)) => (numbers, Some(pre_release)),
            None => (text, None),
        };
        let mut parsed = [0; 3];
        let mut parts = numbers.split('.');
        for number in &mut parsed {
            *number = parts.next()?.parse().ok()?;
        }
        let is_whole = parts.next().is_none() && pre_release != Some("");
        is_whole.then_some(Self { numbers: parsed, is_release: pre_release.is_none() })
    }
}

/// The first version of a client that finds states nowhere in a history and does not miss them.
const VERSION_WITHOUT_STATES: Version = Version { numbers: [1, 5, 0], is_release: false };

/// Whether a client says that it is older than 1.5.
pub(super) fn is_older_client(headers: &HeaderMap) -> bool {
    let given = headers.get(CLIENT_VERSION).and_then(|given| given.to_str().ok());
    let version = given.and_then(Version::parse).filter(|version| version.numbers != [0, 0, 0]);
    version.is_some_and(|version| version < VERSION_WITHOUT_STATES)
}

/// Refuses clients that are too old, and says what answers.
pub(super) async fn versions(request: Request, next: Next) -> Response {
    let mut response = match refusal(request.headers()) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    let ours = BuildInfo::current();
    let headers = [
        (CLIENT_VERSION, ours.git_version),
        ("x-bacalhau-git-commit", ours.git_commit),
        ("x-bacalhau-build-date", ours.build_date),
        ("x-bacalhau-build-os", ours.os),
        ("x-bacalhau-arch", ours.arch),
    ];
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn refusal(headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(CLIENT_VERSION)?;
    let text = given.to_str().unwrap_or("?");
    // What was built from no release at all is trusted to know what it does.
    if text.is_empty() || text.trim_start_matches('v').starts_with("0.0.0") {
        return None;
    }
    let Some(version) = Version::parse(text) else {
        let text: String = text.chars().take(VERSION_SHOWN_CHARS).collect();
        let message = format!("`{text}` in {CLIENT_VERSION} is not a version such as `v1.4.0`");
        let mut body = ErrorBody::new(Code::BadRequest, message.clone());
        body.error = message;
        return Some(ApiError::from(body).into_response());
    };
    if version >= VERSION_MIN {
        return None;
    }
    let [major, minor, patch] = VERSION_MIN.numbers;
    let message = format!("clients of version {text} are too old: use {major}.{minor}.{patch} or newer");
    let mut body = ErrorBody::new(Code::ClientTooOld, message.clone());
    body.error = message;
    body.min_version = format!("{major}.{minor}.{patch}");
    text.trim_start_matches('v').clone_into(&mut body.client_version);
    BuildInfo::current().git_version.trim_start_matches('v').clone_into(&mut body.server_version);
    Some(ApiError::from(body).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pre_release_comes_before_its_release() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("1.4.0-rc1") < VERSION_MIN && version("v1.4.0") == VERSION_MIN);
        assert!(version("1.10.0+build") > version("v1.9.3") && version("1.4.1-rc1") > VERSION_MIN);
        for text in ["", "1", "1.2", "1.2.3.4", "a.b.c", "1.2.3-", "v"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
