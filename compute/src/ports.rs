//! Where guests may listen, by the node's owner.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
};

use crate::Error;

/// Addresses and ports that guests may listen on: `Compute.Network.Ports`. None, unless configured.
#[derive(Clone, Debug, Default)]
pub(crate) struct PortRules {
    rules: Vec<PortRule>,
    written: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PortRule {
    /// Any, if there is none.
    address: Option<IpAddr>,
    ports: RangeInclusive<u16>,
}

impl PortRules {
    pub(crate) fn parse(written: &[String]) -> Result<Self, Error> {
        let parse = |entry: &String| {
            PortRule::parse(entry).ok_or_else(|| Error::NetworkPorts { entry: entry.clone() })
        };
        Ok(Self { rules: written.iter().map(parse).collect::<Result<_, _>>()?, written: written.to_vec() })
    }

    /// Says whether a task may listen where it wants to.
    pub(crate) fn check(&self, node: &NodeId, wanted: &[SocketAddr]) -> Result<(), Refusal> {
        let Some(refused) = wanted.iter().find(|wanted| !self.allow(**wanted)) else { return Ok(()) };
        let tried = match self.written.as_slice() {
            [] => "none is allowed".to_owned(),
            written => format!("tried `{}`", written.join("`, `")),
        };
        Err(Refusal {
            rule: Rule::Network,
            message: format!("node `{node}` does not let guests listen on {refused} ({tried})"),
            hint: Some(format!("the node's owner can allow it with `-c Compute.Network.Ports={refused}`")),
        })
    }

    fn allow(&self, wanted: SocketAddr) -> bool {
        let covers = |rule: &PortRule| {
            rule.address.is_none_or(|address| address == wanted.ip()) && rule.ports.contains(&wanted.port())
        };
        self.rules.iter().any(covers)
    }
}

impl PortRule {
    /// `[ADDRESS:]PORT[-PORT]`.
    fn parse(entry: &str) -> Option<Self> {
        let (address, ports) = match entry.rsplit_once(':') {
            Some((address, ports)) => {
                let address =
                    address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
                (Some(address.parse().ok()?), ports)
            }
            None => (None, entry),
        };
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (0 < first && first <= last).then_some(Self { address, ports: first..=last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(rules: &[&str], wanted: &str) -> Option<String> {
        let rules: Vec<_> = rules.iter().map(|&rule| rule.to_owned()).collect();
        let wanted = [wanted.parse().unwrap()];
        let refused = PortRules::parse(&rules).unwrap().check(&NodeId::new("web-1"), &wanted);
        refused.err().map(|refusal| refusal.message)
    }

    #[test]
    fn a_guest_listens_where_the_owner_says_and_nowhere_else() {
        for (rules, wanted, allowed) in [
            (&[][..], "127.0.0.1:80", false),
            (&["80"], "127.0.0.1:80", true),
            (&["80"], "0.0.0.0:80", true),
            (&["80"], "0.0.0.0:81", false),
            (&["127.0.0.1:8000-8100"], "127.0.0.1:8100", true),
            (&["127.0.0.1:8000-8100"], "127.0.0.1:8101", false),
            (&["127.0.0.1:8000-8100"], "0.0.0.0:8000", false),
            (&["[::1]:80", "81"], "[::1]:80", true),
            (&["::1:80"], "[::1]:80", true),
        ] {
            assert_eq!(refusal(rules, wanted).is_none(), allowed, "{rules:?} {wanted}");
        }
        assert!(refusal(&["81"], "0.0.0.0:80").unwrap().contains("listen on 0.0.0.0:80 (tried `81`)"));
    }

    #[test]
    fn an_entry_that_is_none_is_an_error() {
        for wrong in ["", "0", "http", "90-80", "eth0:80", "1-65536", "127.0.0.1"] {
            assert!(PortRules::parse(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
