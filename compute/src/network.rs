//! What of the network jobs may ask for, by the node's owner.

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
    spec,
};
use skrei_runtime::{HostPattern, Network};

use crate::Error;

/// The most that jobs may ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkAllowed {
    /// Nothing.
    #[default]
    None,
    /// HTTP to the hosts of a list.
    Http,
    /// Whatever the node itself can reach.
    Full,
}

impl NetworkAllowed {
    /// The word in configuration files.
    fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Http => "http",
            Self::Full => "full",
        }
    }
}

/// What of the network jobs may ask for: `Compute.Network.Allow` and `Compute.Network.Domains`.
#[derive(Clone, Debug, Default)]
pub(crate) struct NetworkRules {
    allowed: NetworkAllowed,
    hosts: Vec<HostPattern>,
}

impl NetworkRules {
    pub(crate) fn parse(allowed: NetworkAllowed, domains: &[String]) -> Result<Self, Error> {
        let parse = |domain: &String| domain.parse().map_err(Error::NetworkDomains);
        Ok(Self { allowed, hosts: domains.iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// The network for a task that asks for this one.
    pub(crate) fn grant(&self, node: &NodeId, wanted: &spec::Network) -> Result<Network, Refusal> {
        match wanted {
            spec::Network::None => Ok(Network::Denied),
            spec::Network::Full if self.allowed == NetworkAllowed::Full => Ok(Network::Full),
            spec::Network::Full => {
                Err(self.refuse_kind(node, NetworkAllowed::Full, "`Type: HTTP` with `Domains`"))
            }
            spec::Network::Http { .. } if self.allowed == NetworkAllowed::None => {
                Err(self.refuse_kind(node, NetworkAllowed::Http, "leave `Network` out"))
            }
            spec::Network::Http { domains } => {
                let hosts = domains.iter().map(|domain| self.host(node, domain)).collect::<Result<_, _>>()?;
                Ok(Network::Http(hosts))
            }
        }
    }

    /// A host that a job lists, if the node's list includes all that it covers.
    fn host(&self, node: &NodeId, domain: &str) -> Result<HostPattern, Refusal> {
        let host: HostPattern = domain.parse().map_err(|error| Refusal {
            rule: Rule::Network,
            message: format!("node `{node}` cannot tell which hosts are meant: {error}"),
            hint: None,
        })?;
        let all = self.allowed == NetworkAllowed::Full;
        if all || self.hosts.iter().any(|listed| listed.includes(&host)) {
            return Ok(host);
        }
        let tried: Vec<_> = self.hosts.iter().map(|listed| format!("`{listed}`")).collect();
        let tried =
            if tried.is_empty() { "none is".to_owned() } else { format!("tried {}", tried.join(", ")) };
        Err(Refusal {
            rule: Rule::Network,
            message: format!("node `{node}` does not let guests reach `{host}` ({tried})"),
            hint: Some(format!("the node's owner can allow it with `-c Compute.Network.Domains={host}`")),
        })
    }

    fn refuse_kind(&self, node: &NodeId, wanted: NetworkAllowed, less: &str) -> Refusal {
        let (wanted, allowed) = (wanted.as_str(), self.allowed.as_str());
        Refusal {
            rule: Rule::Network,
            message: format!(
                "node `{node}` does not give guests a network of type {wanted} (`Compute.Network.Allow` is `{allowed}`)"
            ),
            hint: Some(format!(
                "the node's owner can allow it with `-c Compute.Network.Allow={wanted}`; the job can do with less: {less}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(allowed: NetworkAllowed, listed: &[&str], wanted: spec::Network) -> Result<Network, String> {
        let listed: Vec<_> = listed.iter().map(|&domain| domain.to_owned()).collect();
        let rules = NetworkRules::parse(allowed, &listed).unwrap();
        rules.grant(&NodeId::new("web-1"), &wanted).map_err(|refusal| refusal.message)
    }

    fn http(domains: &[&str]) -> spec::Network {
        spec::Network::Http { domains: domains.iter().map(|&domain| domain.to_owned()).collect() }
    }

    #[test]
    fn a_job_gets_no_more_than_the_owner_allows() {
        use NetworkAllowed::{Full, Http, None};
        let listed = ["*.example.org", "10.0.0.0/8:443"];
        let ok = |domains: &[&str]| Ok(Network::http(domains).unwrap());
        assert_eq!(grant(None, &[], spec::Network::None), Ok(Network::Denied));
        assert_eq!(grant(Full, &[], spec::Network::Full), Ok(Network::Full));
        assert_eq!(grant(Full, &[], http(&["*"])), ok(&["*"]));
        assert_eq!(
            grant(Http, &listed, http(&["a.example.org:80", "10.1.0.0/16:443"])),
            ok(&["a.example.org:80", "10.1.0.0/16:443"])
        );
        for refused in ["example.org", "*", "10.0.0.1", "10.0.0.0/7:443", "evil.example"] {
            let message = grant(Http, &listed, http(&["a.example.org", refused])).unwrap_err();
            assert!(
                message.contains(&format!("`{refused}`")) && message.contains("`*.example.org`"),
                "{message}"
            );
        }
        assert!(grant(Http, &listed, spec::Network::Full).unwrap_err().contains("`http`"));
        assert!(grant(None, &listed, http(&["a.example.org"])).unwrap_err().contains("`none`"));
        assert!(grant(Http, &["*"], http(&["localhost"])).is_err(), "it is the node itself");
    }
}
