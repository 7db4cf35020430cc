//! What the guest may reach.

use std::net::{IpAddr, Ipv6Addr};

use crate::{
    manifest,
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    spec::Network,
};

const TYPES: &[&str] = &["None", "HTTP", "Full", "Host"];

/// Every word that is understood.
pub(crate) const WORDS: &[&str] = &["None", "Default", "HTTP", "Full", "Host", "Bridge"];

pub(super) fn read(written: &manifest::Network, path: &Path, problems: &mut Vec<Problem>) -> Network {
    let word = written.kind.trim().to_lowercase();
    let kind = path.key("Type");
    let network = match word.as_str() {
        "" | "none" | "default" => Network::None,
        "http" => Network::Http { domains: written.domains.clone() },
        // The two words of Bacalhau's versions for the same.
        "full" | "host" => Network::Full,
        // Between containers, of which there are none; Bacalhau's guests reach nothing with it, either.
        BRIDGE => Network::None,
        _ => {
            let hint = match nearest(&word, TYPES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", listed(TYPES.iter().copied())),
            };
            let message = format!("{} is not a type of network", quoted(&written.kind));
            problems.push(Problem::new(kind, message).hint(hint));
            Network::None
        }
    };
    let is_http = word == "http";
    if !is_http && !written.domains.is_empty() {
        problems.push(
            Problem::new(path.key("Domains"), "domains mean something with `Type: HTTP` only")
                .hint("write `Type: HTTP`, or remove `Domains`"),
        );
    }
    for (index, domain) in written.domains.iter().enumerate().filter(|_| is_http) {
        if !is_domain(domain) {
            problems.push(
                Problem::new(
                    path.key("Domains").index(index),
                    format!("{} is neither a host name nor an address", quoted(domain)),
                )
                .hint("`example.com`, `*.example.com`, `192.0.2.1` or `10.0.0.0/8`, each with a `:PORT` or without; or `*`"),
            );
        }
    }
    if is_http && written.domains.is_empty() {
        problems.push(
            Problem::new(path.key("Domains"), "`Type: HTTP` reaches nothing without domains")
                .hint("list the hosts: `Domains: [api.example.com]`; `*` is any"),
        );
    }
    network
}

/// Between containers.
const BRIDGE: &str = "bridge";

/// What is ignored of a network.
pub(super) fn warning(written: &manifest::Network, path: &Path) -> Option<Problem> {
    written.kind.trim().eq_ignore_ascii_case(BRIDGE).then(|| {
        Problem::new(path.key("Type"), "a bridge is for containers: the guest gets no network")
            .hint("`HTTP` with `Domains`, or `Full` for any connection")
    })
}

/// The form of an entry; the node, which compares names, reads it with its meaning.
fn is_domain(text: &str) -> bool {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    if address.parse::<Ipv6Addr>().is_ok() {
        return is_block(text);
    }
    let (hosts, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((hosts, "")) => (hosts, None),
        Some((hosts, port)) => (hosts, Some(port.strip_prefix(':').unwrap_or(""))),
        None => text.split_once(':').map_or((text, None), |(hosts, port)| (hosts, Some(port))),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
    };
    port.is_none_or(is_port)
        && (hosts == "*" || is_block(hosts) || (!text.starts_with('[') && is_name(hosts)))
}

/// An address, or a block with its first one.
fn is_block(text: &str) -> bool {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let Some(bits) = bits else { return true };
    let (number, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let is_number = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let Some(bits) = bits.parse::<u32>().ok().filter(|bits| is_number && *bits <= width) else {
        return false;
    };
    let rest = 1_u128.checked_shl(width - bits).map_or(u128::MAX, |block| block - 1);
    number & rest == 0 && address.to_canonical() == address
}

/// A name in ASCII, perhaps with what may be below it.
fn is_name(text: &str) -> bool {
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    // What ends with a number is an address, and one in a form that nobody should write.
    let ends_with_number = name.rsplit('.').next().is_some_and(|last| {
        last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X")
    });
    if ends_with_number {
        return false;
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_names_or_addresses_with_ports_or_without() {
        for domain in [
            "example.com",
            "Example.COM",
            "*.example.com",
            ".example.com",
            "localhost:8080",
            "*",
            "*:443",
            "192.0.2.1",
            "10.0.0.0/8",
            "10.0.0.0/8:443",
            "0.0.0.0/0",
            "::1",
            "::/0",
            "fd00::/8",
            "[::1]",
            "[fd00::/8]:443",
        ] {
            assert!(is_domain(domain), "{domain}");
        }
        for domain in [
            "",
            "http://a",
            "a:",
            "a:0",
            "a:65536",
            "a:+1",
            "a..b",
            "-a",
            "*a",
            "a.*.b",
            "[a]",
            "[::1",
            "[::1]80",
            "127.1",
            "0x7f.0x1",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::ffff:10.0.0.0/104",
            "a b",
        ] {
            assert!(!is_domain(domain), "{domain}");
        }
    }
}
