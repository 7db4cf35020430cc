//! What the guest may reach.

use std::net::IpAddr;

use crate::{
    manifest,
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    spec::Network,
};

const TYPES: &[&str] = &["None", "HTTP", "Full"];

pub(super) fn read(written: &manifest::Network, path: &Path, problems: &mut Vec<Problem>) -> Network {
    let word = written.kind.trim().to_lowercase();
    let kind = path.key("Type");
    let network = match word.as_str() {
        "" | "none" | "default" => Network::None,
        "http" => Network::Http { domains: written.domains.clone() },
        "full" => Network::Full,
        "host" | "bridge" => {
            let message = format!("networks of type {} are not supported", quoted(&written.kind));
            problems.push(
                Problem::new(kind, message).hint("`HTTP` with `Domains`, or `Full` for any connection"),
            );
            Network::None
        }
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
                    format!("{} is neither a lower-case host name nor an address", quoted(domain)),
                )
                .hint("`example.com`, `*.example.com` or `192.0.2.1`, without scheme and port"),
            );
        }
    }
    if !written.ports.is_empty() {
        problems
            .push(Problem::new(path.key("Ports"), "a guest cannot listen on ports").hint("remove `Ports`"));
    }
    network
}

fn is_domain(text: &str) -> bool {
    if text.parse::<IpAddr>().is_ok() {
        return true;
    }
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_lower_case_names_or_addresses() {
        for domain in ["example.com", "*.example.com", ".example.com", "localhost", "192.0.2.1", "::1"] {
            assert!(is_domain(domain), "{domain}");
        }
        for domain in ["", "Example.com", "http://a", "a:80", "a..b", "-a", "*"] {
            assert!(!is_domain(domain), "{domain}");
        }
    }
}
