//! Where an orchestrator's node listener is.

use std::{fmt, str::FromStr};

use crate::Error;

/// The node listener's port if none is configured.
const DEFAULT_PORT: u16 = 4222;

/// Prefixes people write because other systems want them.
const SCHEMES: &[&str] = &["nats://", "tls://", "wss://", "ws://", "https://", "http://"];

/// `HOST:PORT` of a node listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    host: String,
    port: u16,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if let Some((_, host)) = text.rsplit_once('@') {
            let message = "has a token before it, which logs would show: set Compute.Auth.Token to that";
            return Err(Error::Address { address: host.to_owned(), message });
        }
        let wrong = |message| Error::Address { address: text.to_owned(), message };
        let rest = text.trim();
        let rest = SCHEMES.iter().find_map(|scheme| rest.strip_prefix(scheme)).unwrap_or(rest);
        if rest.contains("://") {
            return Err(wrong("has a scheme that is not known"));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let is_bare_ipv6 = rest.matches(':').count() > 1 && !rest.starts_with('[');
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !is_bare_ipv6 && !rest.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong("has a port that is no number from 0 to 65535"))?)
            }
            _ => (rest, DEFAULT_PORT),
        };
        let host = if is_bare_ipv6 { format!("[{host}]") } else { host.to_owned() };
        let is_clean = |c: char| c.is_ascii_alphanumeric() || "-._[]:%".contains(c);
        if host.is_empty() || !host.chars().all(is_clean) {
            return Err(wrong("has no host name"));
        }
        Ok(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_whatever_scheme_stands_before() {
        for (text, expected) in [
            ("127.0.0.1:4222", Some("127.0.0.1:4222")),
            ("nats://orchestrator.example:5000", Some("orchestrator.example:5000")),
            ("http://a:1/", Some("a:1")),
            ("a", Some("a:4222")),
            ("[::1]:7", Some("[::1]:7")),
            ("[::1]", Some("[::1]:4222")),
            ("::1", Some("[::1]:4222")),
            ("", None),
            (":1", None),
            ("a:b", None),
            ("a:70000", None),
            ("tls://a:1", Some("a:1")),
            ("ftp://a:1", None),
            ("nats://token@a:1", None),
            ("a/b:1", None),
        ] {
            let found = text.parse::<Address>().ok().map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
