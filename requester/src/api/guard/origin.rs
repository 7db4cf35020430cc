//! Where a browser was led here from. A page of another site may not call the API unless it is listed; programs other
//! than browsers say nothing of it, and are not concerned.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode, header,
        uri::{Authority, Uri},
    },
    response::{IntoResponse, Response},
};
use skrei_protocol::api::error::{Code, ErrorBody};
use skrei_tls::Served;

use crate::peer::Peer;

/// How long a browser may remember what it may do here.
const REMEMBERED_SECONDS: &str = "600";

/// The sites whose pages may call the API, and the names it may be called by.
#[derive(Debug)]
pub(super) struct Origins {
    listed: Vec<String>,
    names: Option<Vec<String>>,
}

/// What is known of a request's origin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A page of our own, or no page at all.
    Own,
    /// A page of a listed site.
    Listed(HeaderValue),
}

impl Origins {
    pub(super) fn new(listed: &[String], names: Option<&[String]>) -> Self {
        let listed: Vec<String> =
            listed.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect();
        // Who may call from a site's pages may also be called by its name.
        let of_listed = listed.iter().filter_map(|origin| host_of(origin));
        let names = names.map(|names| {
            names.iter().map(|name| name.to_ascii_lowercase()).chain(of_listed).collect::<Vec<_>>()
        });
        Self { listed, names }
    }

    /// # Errors
    /// Why the request is not looked at any further.
    pub(super) fn judge(&self, request: &Request, peer: Peer) -> Result<Origin, Box<ErrorBody>> {
        let host = host(request.uri(), request.headers());
        // By HTTPS a browser has seen a certificate for the name: no stranger has one of ours.
        if !peer.is_encrypted {
            self.check_name(host.as_ref())?;
        }
        let Some(origin) = request.headers().get(header::ORIGIN) else { return Ok(Origin::Own) };
        let text = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        let own = host.map(|host| {
            let scheme = if peer.is_encrypted { "https" } else { "http" };
            format!("{scheme}://{host}").to_ascii_lowercase()
        });
        if own.is_some_and(|own| is_same(&own, &text)) {
            return Ok(Origin::Own);
        }
        if self.listed.iter().any(|listed| listed == "*" || is_same(listed, &text)) {
            return Ok(Origin::Listed(origin.clone()));
        }
        let shown: String = text.chars().take(200).collect();
        let message = format!("pages of `{shown}` may not call this API");
        let hint = "list the site in API.CORS.AllowedOrigins of the server if they should";
        Err(Box::new(ErrorBody::new(Code::OriginNotAllowed, message).hint(hint)))
    }

    /// Where nobody is asked who they are, a browser must not get here by a name that a stranger points at us.
    fn check_name(&self, host: Option<&Authority>) -> Result<(), Box<ErrorBody>> {
        let (Some(names), Some(host)) = (&self.names, host) else { return Ok(()) };
        let name = host.host().trim_end_matches('.').to_ascii_lowercase();
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        if is_address || name == "localhost" || name.ends_with(".localhost") || names.contains(&name) {
            return Ok(());
        }
        let message = format!("this API does not answer to the name `{name}`");
        let hint = format!(
            "call it by its address, or list `http://{host}` in API.CORS.AllowedOrigins, or ask callers who they are"
        );
        Err(Box::new(ErrorBody::new(Code::OriginNotAllowed, message).hint(hint)))
    }
}

impl Origin {
    pub(super) fn is_foreign(&self) -> bool {
        *self != Self::Own
    }

    /// What a browser asks before it calls for a listed site.
    pub(super) fn preflight(&self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        self.mark(&mut response);
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT, POST, DELETE"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, content-type, last-event-id, x-request-id",
            ),
            (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    /// Lets a listed site's page read the answer. Nothing here goes by cookies, and so none are asked for.
    pub(super) fn mark(&self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Self::Listed(origin) = self {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id"));
        }
    }
}

/// Whether browsers are to be told to call this name by HTTPS alone.
pub(super) fn https_only(request: &Request, peer: Peer, served: Option<&Served>) -> bool {
    let Some(served) = served.filter(|_| peer.is_encrypted) else { return false };
    host(request.uri(), request.headers()).is_some_and(|host| served.is_for_public(host.host()))
}

/// What the request calls us: in the address (HTTP/2), or the `Host` header.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let header = || headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(header)
}

fn host_of(origin: &str) -> Option<String> {
    Some(origin.parse::<Uri>().ok()?.host()?.to_owned())
}

/// Whether two origins are one, a scheme's own port written or not.
fn is_same(one: &str, other: &str) -> bool {
    let whole = |origin: &str| {
        let uri: Uri = origin.parse().ok()?;
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some((scheme, uri.host()?.to_owned(), port))
    };
    whole(one).is_some_and(|one| whole(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn judged(
        origins: &Origins,
        headers: &[(&str, &str)],
        is_encrypted: bool,
    ) -> Result<Origin, Box<ErrorBody>> {
        let mut request = Request::builder().uri("/api/v1/agent/alive");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let peer = Peer { address: IpAddr::from([127, 0, 0, 1]), is_encrypted };
        origins.judge(&request.body(Body::empty()).unwrap(), peer)
    }

    #[test]
    fn only_our_own_pages_and_those_of_listed_sites_get_in() {
        let origins = Origins::new(&["https://app.example.com".to_owned()], None);
        let by =
            |origin: &str| judged(&origins, &[("host", "one.example.com:1234"), ("origin", origin)], true);
        assert_eq!(by("https://one.example.com:1234"), Ok(Origin::Own));
        assert!(by("https://app.example.com:443").unwrap().is_foreign());
        for stranger in [
            "http://one.example.com:1234",
            "https://one.example.com",
            "https://app.example.com.evil.com",
            "http://app.example.com",
            "null",
            "",
        ] {
            assert!(by(stranger).is_err(), "{stranger}");
        }
        assert_eq!(judged(&origins, &[("host", "anything")], false), Ok(Origin::Own), "no browser");
    }

    #[test]
    fn an_open_api_is_not_found_under_a_stranger_s_name() {
        let origins = Origins::new(&["http://skrei.test:1234".to_owned()], Some(&["box".to_owned()]));
        let as_host = |host: &str| judged(&origins, &[("host", host)], false);
        for own in ["127.0.0.1:1234", "[::1]:1234", "localhost:1234", "a.localhost", "BOX", "skrei.test:99"] {
            assert!(as_host(own).is_ok(), "{own}");
        }
        for stranger in ["evil.com:1234", "localhost.evil.com", "127.0.0.1.evil.com"] {
            assert!(as_host(stranger).is_err(), "{stranger}");
            assert!(
                judged(&origins, &[("host", stranger)], true).is_ok(),
                "{stranger}: a name in a certificate of ours"
            );
        }
    }
}
