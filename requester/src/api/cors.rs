//! Which web pages may call the API: none, unless the owner names their origins.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

/// Answers browsers that ask whether a page may call. `*` lets every page call.
///
/// Bacalhau lets every page call. Here whoever reaches the API may run jobs, and a page in the browser of somebody who
/// does is not to be one of them.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    if origins.is_empty() {
        return CorsLayer::new();
    }
    let allowed = match origins.iter().any(|origin| origin == "*") {
        true => AllowOrigin::any(),
        false => AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok())),
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::HeaderName::from_static("x-request-id")])
}

/// Whether a websocket may be opened for this request: browsers let every page try, and leave it to the server. What is
/// no browser sends no origin.
pub(super) fn may_open(uri: &Uri, headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    // A page that came from here: HTTP/2 has the host in the request's target, HTTP/1.1 in a header.
    let host = uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, from)| Some(from) == host);
    own || origins.iter().any(|allowed| allowed == "*" || allowed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_websocket_is_for_pages_from_here_and_from_where_the_owner_says() {
        let may = |host: &str, origin: &str, origins: &[&str]| {
            let headers = [(header::HOST, host), (header::ORIGIN, origin)];
            let headers = headers.map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()));
            let origins: Vec<_> = origins.iter().map(|&origin| origin.to_owned()).collect();
            may_open(&Uri::from_static("/logs"), &HeaderMap::from_iter(headers), &origins)
        };
        assert!(may("localhost:1234", "http://localhost:1234", &[]));
        assert!(may("a.example", "https://ops.example", &["https://ops.example"]));
        assert!(may("a.example", "https://ops.example", &["*"]));
        for evil in ["https://evil.example", "null", "", "http://a.example.evil", "http://a.example:81"] {
            assert!(!may("a.example", evil, &["https://ops.example"]), "{evil}");
        }
        assert!(may_open(&Uri::from_static("/logs"), &HeaderMap::new(), &[]), "no browser");
    }
}
