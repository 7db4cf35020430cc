//! An entry of a list of hosts.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::Host;
use super::range::Block;

/// The name that every machine has for itself.
pub(super) const LOCALHOST: &str = "localhost";

/// Which hosts an entry of a list covers, and on which port.
///
/// | Written | Covers |
/// |---|---|
/// | `example.org` | this name, in any case and script |
/// | `*.example.org` | every name below it, however far, and not itself |
/// | `.example.org` | itself and every name below it |
/// | `*` | every name, and every public address |
/// | `192.0.2.7`, `2001:db8::7` | this address |
/// | `10.0.0.0/8`, `fd00::/8` | every address of this block |
///
/// Each may end with a port: `example.org:8443`, `[2001:db8::7]:443`. Without one it covers every port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Hosts {
    Any,
    Exactly(String),
    Below(String),
    From(String),
    Block(Block),
}

/// Why a text is no entry of a list of hosts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` names no hosts: {message}")]
pub struct HostPatternError {
    /// The text.
    pub pattern: String,
    /// What is wrong with it, and how it is written.
    pub message: String,
}

impl HostPattern {
    /// Whether it covers this name on this port. The name is a [`Host::Name`]'s.
    pub(super) fn covers_name(&self, name: &str, port: u16) -> bool {
        self.covers_port(port)
            && match &self.hosts {
                Hosts::Any => true,
                Hosts::Exactly(listed) => name == listed,
                Hosts::Below(listed) => is_below(name, listed),
                Hosts::From(listed) => name == listed || is_below(name, listed),
                Hosts::Block(_) => false,
            }
    }

    /// Whether it covers this name as itself, and not as one of many.
    pub(super) fn names(&self, name: &str, port: u16) -> bool {
        self.covers_port(port) && matches!(&self.hosts, Hosts::Exactly(listed) if name == listed)
    }

    /// Whether it lists this address itself.
    pub(super) fn lists_address(&self, address: IpAddr, port: u16) -> bool {
        self.covers_port(port) && matches!(&self.hosts, Hosts::Block(block) if block.contains(address))
    }

    /// Whether it covers every public address.
    pub(super) fn covers_all_public(&self, port: u16) -> bool {
        self.covers_port(port) && self.hosts == Hosts::Any
    }

    fn covers_port(&self, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
    }

    /// Whether everything that `other` covers is covered by this one, too.
    pub fn includes(&self, other: &HostPattern) -> bool {
        if self.port.is_some() && self.port != other.port {
            return false;
        }
        match (&self.hosts, &other.hosts) {
            (Hosts::Exactly(listed), Hosts::Exactly(name)) => name == listed,
            // By that name alone it may be this machine.
            (_, Hosts::Exactly(name)) if name == LOCALHOST => false,
            (Hosts::Any, Hosts::Block(block)) => block.is_public_address(),
            (Hosts::Any, _) => true,
            (Hosts::Block(outer), Hosts::Block(inner)) => outer.includes(inner),
            (Hosts::Below(listed), Hosts::Exactly(name) | Hosts::From(name)) => is_below(name, listed),
            (Hosts::Below(listed), Hosts::Below(name)) => name == listed || is_below(name, listed),
            (Hosts::From(listed), Hosts::Exactly(name) | Hosts::From(name) | Hosts::Below(name)) => {
                name == listed || is_below(name, listed)
            }
            _ => false,
        }
    }
}

/// `a.b` is below `b`, and `ab` is not.
fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<HostPattern, HostPatternError> {
        let wrong =
            |message: &str| HostPatternError { pattern: text.to_owned(), message: message.to_owned() };
        let (hosts, port) = split_port(text).map_err(wrong)?;
        Ok(HostPattern { hosts: read_hosts(hosts).map_err(|message| wrong(&message))?, port })
    }
}

/// The hosts, without the brackets around an address of IPv6, and the port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), &'static str> {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    if address.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    let (hosts, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']').ok_or("there is a `[` without its `]`")? {
            (hosts, "") => (hosts, None),
            (hosts, after) => {
                (hosts, Some(after.strip_prefix(':').ok_or("after `]` comes `:PORT` or nothing")?))
            }
        },
        None => match text.split_once(':') {
            Some((hosts, port)) => (hosts, Some(port)),
            None => (text, None),
        },
    };
    const PORT: &str = "after the `:` comes a port from 1 to 65535, without scheme and path around them";
    let number = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        port.parse().ok().filter(|port| digits && *port != 0).ok_or(PORT)
    };
    Ok((hosts, port.map(number).transpose()?))
}

fn read_hosts(text: &str) -> Result<Hosts, String> {
    if text == "*" {
        return Ok(Hosts::Any);
    }
    if text.contains('/') || text.parse::<IpAddr>().is_ok() {
        return Block::parse(text).map(Hosts::Block);
    }
    if text.contains(['%', ':', '[', ']']) {
        return Err("it is neither a name nor an address".to_owned());
    }
    let (make, name): (fn(String) -> Hosts, _) = match (text.strip_prefix("*."), text.strip_prefix('.')) {
        (Some(name), _) => (Hosts::Below, name),
        (_, Some(name)) => (Hosts::From, name),
        _ => (Hosts::Exactly, text),
    };
    if name.contains('*') {
        return Err("a `*` stands alone, or for what comes before the first dot: `*.example.org`".to_owned());
    }
    match name.parse() {
        Ok(Host::Name(name)) => Ok(make(name)),
        Ok(Host::Address(address)) => Err(format!("it is an address; write `{address}`")),
        Err(error) => Err(error.message),
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bracketed = self.port.is_some() && matches!(&self.hosts, Hosts::Block(block) if block.is_ipv6());
        match &self.hosts {
            Hosts::Any => f.write_str("*")?,
            Hosts::Exactly(name) => f.write_str(name)?,
            Hosts::Below(name) => write!(f, "*.{name}")?,
            Hosts::From(name) => write!(f, ".{name}")?,
            Hosts::Block(block) if bracketed => write!(f, "[{block}]")?,
            Hosts::Block(block) => write!(f, "{block}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
