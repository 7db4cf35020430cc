//! What clients call this API by: scheme and host, for URLs they are given.

use std::sync::Arc;

use axum::http::{HeaderMap, Uri, header, uri::Authority};

use crate::Listeners;

/// Scheme and host of the API.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// The same for everybody, if its owner says so.
    public: Option<Arc<str>>,
    scheme: &'static str,
    /// The address it listens on, for those who do not say what they called.
    address: Arc<str>,
}

impl Origin {
    /// Of an API that listens here, and is reached by everybody as `public` if that is set.
    pub(crate) fn new(public: Option<&str>, listeners: &Listeners) -> Self {
        let address = listeners.api.local_addr().map(|address| address.to_string()).unwrap_or_default();
        Self {
            public: public.map(|url| url.trim_end_matches('/').into()),
            scheme: if listeners.api_tls.is_some() { "https" } else { "http" },
            address: address.into(),
        }
    }

    /// `SCHEME://HOST[:PORT]` as the sender of this request reached it.
    pub(crate) fn of(&self, uri: &Uri, headers: &HeaderMap) -> String {
        if let Some(public) = &self.public {
            return public.to_string();
        }
        // HTTP/2 has the host in the request's target, HTTP/1.1 in a header.
        let called = uri.authority().cloned().or_else(|| {
            let host = headers.get(header::HOST)?.to_str().ok()?;
            host.parse::<Authority>().ok()
        });
        // Userinfo is nobody's host.
        match called.filter(|host| !host.as_str().contains('@')) {
            Some(host) => format!("{}://{host}", self.scheme),
            None => format!("{}://{}", self.scheme, self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(public: Option<&str>, scheme: &'static str) -> Origin {
        Origin { public: public.map(Into::into), scheme, address: "127.0.0.1:1234".into() }
    }

    fn called(host: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::HOST, host.parse().unwrap())])
    }

    #[test]
    fn a_client_is_answered_with_the_host_it_called_unless_there_is_a_public_one() {
        let (plain, secure) = (origin(None, "http"), origin(None, "https"));
        let path = Uri::from_static("/api/v1/x");
        assert_eq!(plain.of(&path, &called("box.lan:8080")), "http://box.lan:8080");
        assert_eq!(secure.of(&path, &called("[::1]:1")), "https://[::1]:1");
        assert_eq!(secure.of(&Uri::from_static("https://h2.lan/x"), &HeaderMap::new()), "https://h2.lan");
        for odd in ["", "a b", "a/b", "user@host", "\"><script>"] {
            assert_eq!(plain.of(&path, &called(odd)), "http://127.0.0.1:1234", "{odd}");
        }
        let public = origin(Some("https://skrei.example.com"), "http");
        assert_eq!(public.of(&path, &called("box.lan")), "https://skrei.example.com");
    }
}
