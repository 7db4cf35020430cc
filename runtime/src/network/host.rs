//! A host, in the one form in which two of them are compared.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// The longest name there is in the domain name system.
const NAME_BYTES_MAX: usize = 253;

/// A host as a URL names it: a name, or an address. Two of the same meaning are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name: lower case, in ASCII (`xn--…` where it was not), without a dot at its end.
    Name(String),
    /// An address; one of IPv4 that is written as one of IPv6 is the one of IPv4.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{host}` is no host: {message}")]
pub struct HostError {
    /// The text.
    pub host: String,
    /// What is wrong with it.
    pub message: String,
}

impl Host {
    /// An address as a host.
    pub fn address(address: IpAddr) -> Host {
        Host::Address(address.to_canonical())
    }
}

impl FromStr for Host {
    type Err = HostError;

    /// Reads a host by the rules of URLs: any case, any script, `[…]` around an address of IPv6, and the odd ways of
    /// writing one of IPv4 (`127.1`, `0x7f000001`).
    fn from_str(text: &str) -> Result<Host, HostError> {
        let wrong = |message: &str| HostError { host: text.to_owned(), message: message.to_owned() };
        match url::Host::parse(text).map_err(|error| wrong(&error.to_string()))? {
            url::Host::Ipv4(address) => Ok(Host::Address(address.into())),
            url::Host::Ipv6(address) => Ok(Host::address(address.into())),
            url::Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if name.is_empty() || name.split('.').any(str::is_empty) {
                    return Err(wrong("a part between two dots is empty"));
                }
                if name.len() > NAME_BYTES_MAX {
                    return Err(wrong("it is longer than a name can be"));
                }
                Ok(Host::Name(name.to_owned()))
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => address.fmt(f),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
