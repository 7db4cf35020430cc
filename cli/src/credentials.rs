//! What a command shows to a server.

use std::net::{IpAddr, UdpSocket};

use skrei_access::{Credential, Secret};
use skrei_protocol::client::Client;

use crate::{
    config::Config,
    error::Error,
    logins::{self, Tokens},
    terminal,
};

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Environment, configuration file or command line.
    Configuration,
    /// `skrei auth sso login`.
    Login,
    /// The key that the server of this machine made.
    Administrator,
}

impl Source {
    /// For people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Login => "skrei auth sso login",
            Self::Administrator => "administrator's key of this machine",
        }
    }
}

/// A client that shows what there is to show.
///
/// # Errors
/// The configuration is wrong, or a file that it names.
pub(crate) fn client(config: &Config) -> Result<Client, Error> {
    let client = Client::trusting(&config.endpoint(), &config.tls.trust)?;
    let Some((credential, _)) = find(config)? else { return Ok(client) };
    let endpoint = client.endpoint();
    if endpoint.starts_with("http://") && !is_loopback(host(endpoint)) {
        terminal::warn(&format!("what shows who you are goes to {endpoint} in clear: use HTTPS (--tls)"));
    }
    Ok(client.showing(credential.header().expose())?)
}

/// What there is to show, and where it comes from.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn find(config: &Config) -> Result<Option<(Credential, Source)>, Error> {
    if let Some(shown) = &config.shown.0 {
        return Ok(Some((shown.clone(), Source::Configuration)));
    }
    let endpoint = config.endpoint();
    if let Some(token) = Tokens::new(&config.data_dir).get(endpoint.trim_end_matches('/'))? {
        return Ok(Some((Credential::Token(token), Source::Login)));
    }
    if !is_here(host(&endpoint)) {
        return Ok(None);
    }
    let key = std::fs::read_to_string(logins::administrator_key(&config.data_dir)).ok();
    let key = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
    Ok(key.map(|key| (Credential::Key(Secret::new(key)), Source::Administrator)))
}

/// The host of `SCHEME://HOST:PORT`, without brackets.
fn host(endpoint: &str) -> &str {
    let rest = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether this is a name or address of this machine: the administrator's key goes nowhere else.
fn is_here(host: &str) -> bool {
    let own_name = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // Only an address of one's own can be bound; nothing is sent.
    let is_own = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
    is_loopback(host)
        || host.parse::<IpAddr>().is_ok_and(is_own)
        || host.eq_ignore_ascii_case(own_name().trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_s_key_stays_on_this_machine() {
        for own in ["http://127.0.0.1:1234", "https://localhost", "http://[::1]:80/"] {
            assert!(is_here(host(own)), "{own}");
        }
        for other in ["http://192.0.2.1:1234", "https://example.com", "http://localhost.example.com:1"] {
            assert!(!is_here(host(other)), "{other}");
        }
    }
}
