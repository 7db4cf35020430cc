//! The decision: pure, and the same whoever asks.

use std::fmt;
use std::net::SocketAddr;

use super::pattern::LOCALHOST;
use super::{Host, HostPattern, Network, Range};

/// Something a guest wants to do on the network.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attempt {
    /// To make an HTTP request of a host. Asked before the host's name is looked up.
    Request {
        /// The host of the URL.
        host: Host,
        /// The port, given or by the URL's scheme.
        port: u16,
    },
    /// To be connected for a request to an address that its host leads to.
    Connection {
        /// The host of the URL.
        host: Host,
        /// Where it would be connected.
        address: SocketAddr,
    },
    /// To have a name looked up, for a socket of the guest's own.
    Lookup {
        /// The name.
        host: Host,
    },
    /// To have sockets of its own at all. Asked when a component first reaches for one.
    Sockets,
    /// To connect or send with a socket of its own.
    Socket {
        /// The other's address.
        address: SocketAddr,
    },
    /// To be called at an address. [`Sandbox::listen`](crate::Sandbox::listen) grants it as well.
    Listen {
        /// The guest's own address.
        address: SocketAddr,
    },
}

/// What becomes of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may happen.
    Allowed,
    /// It may not, by this rule.
    Denied(DenialRule),
}

/// The rule that denied an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DenialRule {
    /// [`Network::Denied`]: the guest has no network.
    NoNetwork,
    /// [`Network::Http`]: the host is on no entry of the list.
    NotListed,
    /// [`Network::Http`]: the host leads to an address that is not a public one, and not on the list.
    NotPublic(Range),
    /// [`Network::Http`]: requests only, no sockets of the guest's own.
    HttpOnly,
}

impl DenialRule {
    /// A word for tables and grouping.
    pub fn as_str(self) -> &'static str {
        match self {
            DenialRule::NoNetwork => "no-network",
            DenialRule::NotListed => "not-listed",
            DenialRule::NotPublic(_) => "not-public",
            DenialRule::HttpOnly => "http-only",
        }
    }
}

/// An attempt that was denied, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{attempt} was denied: {}", self.reason())]
#[non_exhaustive]
pub struct Denial {
    /// What the guest wanted.
    pub attempt: Attempt,
    /// The rule that denied it.
    pub rule: DenialRule,
}

impl Denial {
    fn reason(&self) -> String {
        match (self.rule, &self.attempt) {
            (DenialRule::NoNetwork, _) => "the guest has no network".to_owned(),
            (DenialRule::NotListed, _) => "it is on no entry of the list of hosts".to_owned(),
            (DenialRule::HttpOnly, _) => "the guest may make HTTP requests and nothing else".to_owned(),
            (DenialRule::NotPublic(range), Attempt::Connection { address, .. }) => {
                format!("{} is a {range} address and not on the list of hosts itself", address.ip())
            }
            (DenialRule::NotPublic(range), _) => {
                format!("it is a {range} address and not on the list of hosts itself")
            }
        }
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attempt::Request { host, port } => write!(f, "a request to {host}:{port}"),
            Attempt::Connection { host, address } => {
                write!(f, "a request to {host}:{}", address.port())
            }
            Attempt::Lookup { host } => write!(f, "looking up {host}"),
            Attempt::Sockets => f.write_str("having sockets"),
            Attempt::Socket { address } => write!(f, "a socket to {address}"),
            Attempt::Listen { address } => write!(f, "a socket at {address}"),
        }
    }
}

/// Whether the grant covers the attempt.
pub fn judge(network: &Network, attempt: &Attempt) -> Verdict {
    let list = match network {
        Network::Denied => return Verdict::Denied(DenialRule::NoNetwork),
        Network::Full => return Verdict::Allowed,
        Network::Http(list) => list,
    };
    match attempt {
        Attempt::Request { host: Host::Name(name), port } => named(list, name, *port),
        Attempt::Request { host: Host::Address(ip), port } => addressed(list, SocketAddr::new(*ip, *port)),
        Attempt::Connection { host: Host::Name(name), address } => match named(list, name, address.port()) {
            Verdict::Allowed => resolved(list, name, *address),
            denied => denied,
        },
        // Whatever the guest wrote, this is where it would be connected.
        Attempt::Connection { host: Host::Address(_), address } => addressed(list, *address),
        Attempt::Lookup { .. } | Attempt::Sockets | Attempt::Socket { .. } | Attempt::Listen { .. } => {
            Verdict::Denied(DenialRule::HttpOnly)
        }
    }
}

fn named(list: &[HostPattern], name: &str, port: u16) -> Verdict {
    when(list.iter().any(|entry| entry.covers_name(name, port)), DenialRule::NotListed)
}

/// An address that the guest wrote itself.
fn addressed(list: &[HostPattern], address: SocketAddr) -> Verdict {
    let (ip, port) = (address.ip().to_canonical(), address.port());
    if list.iter().any(|entry| entry.lists_address(ip, port)) {
        return Verdict::Allowed;
    }
    if !list.iter().any(|entry| entry.covers_all_public(port)) {
        return Verdict::Denied(DenialRule::NotListed);
    }
    Range::of(ip).map_or(Verdict::Allowed, |range| Verdict::Denied(DenialRule::NotPublic(range)))
}

/// An address that a listed name leads to: whoever owns the name has chosen it.
fn resolved(list: &[HostPattern], name: &str, address: SocketAddr) -> Verdict {
    let (ip, port) = (address.ip().to_canonical(), address.port());
    let Some(range) = Range::of(ip) else { return Verdict::Allowed };
    let is_itself =
        range == Range::Loopback && name == LOCALHOST && list.iter().any(|entry| entry.names(name, port));
    when(is_itself || list.iter().any(|entry| entry.lists_address(ip, port)), DenialRule::NotPublic(range))
}

fn when(allowed: bool, otherwise: DenialRule) -> Verdict {
    if allowed { Verdict::Allowed } else { Verdict::Denied(otherwise) }
}
