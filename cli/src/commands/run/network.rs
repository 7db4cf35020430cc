//! `--network` and `--allow-host`.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use skrei_runtime::{HostPattern, Network, NetworkUsage};

use crate::{error::Error, terminal};

/// Denials that are shown; the rest are counted.
const DENIALS_SHOWN_MAX: usize = 8;

/// What the guest may reach.
#[derive(Debug, Args)]
pub(super) struct Reach {
    /// What the guest may reach: nothing, HTTP to the hosts of --allow-host, or whatever this machine can
    #[arg(long, value_enum, value_name = "none|http|full", hide_possible_values = true)]
    network: Option<Kind>,
    /// A host the guest may make HTTP requests of: a name, `*.NAME`, an address, or `*`; repeatable
    #[arg(long, value_name = "HOST[:PORT]")]
    allow_host: Vec<HostPattern>,
    /// An address the guest may listen on; a component has sockets, a module has none; repeatable
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Vec<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    None,
    Http,
    Full,
}

impl Reach {
    /// Whether anything was said.
    pub(super) fn is_given(&self) -> bool {
        self.network.is_some() || !self.allow_host.is_empty()
    }

    /// The grant.
    ///
    /// # Errors
    /// If the two do not go together.
    pub(super) fn grant(&self) -> Result<Network, Error> {
        match (self.network, self.allow_host.is_empty()) {
            (None | Some(Kind::None), true) => Ok(Network::Denied),
            (Some(Kind::Full), true) => Ok(Network::Full),
            (None | Some(Kind::Http), false) => Ok(Network::Http(self.allow_host.clone())),
            (Some(Kind::Http), true) => Err(Error::usage("--network http reaches nothing without hosts")
                .hint("name them: --allow-host api.example.org; `*` is any")),
            (Some(Kind::None | Kind::Full), false) => {
                Err(Error::usage("--allow-host means something with --network http only")
                    .hint("leave out --allow-host, or --network"))
            }
        }
    }
}

/// Says what the guest wanted and did not get.
pub(super) fn tell(usage: &NetworkUsage) {
    for denial in usage.denials.iter().take(DENIALS_SHOWN_MAX) {
        terminal::warn(&format!("{denial} ({})", denial.rule.as_str()));
    }
    let more = usage.denials.len().saturating_sub(DENIALS_SHOWN_MAX);
    if more > 0 {
        terminal::warn(&format!("... and {more} more attempts of the guest were denied"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(network: Option<Kind>, hosts: &[&str]) -> Option<Network> {
        let allow_host = hosts.iter().map(|host| host.parse().unwrap()).collect();
        Reach { network, allow_host, listen: Vec::new() }.grant().ok()
    }

    #[test]
    fn nothing_is_granted_that_was_not_said() {
        let listed = Some(Network::http(["a.example", "*.b.example:443"]).unwrap());
        let hosts = ["a.example", "*.b.example:443"];
        assert_eq!(grant(None, &[]), Some(Network::Denied));
        assert_eq!(grant(Some(Kind::None), &[]), Some(Network::Denied));
        assert_eq!(grant(Some(Kind::Full), &[]), Some(Network::Full));
        assert_eq!(grant(None, &hosts), listed);
        assert_eq!(grant(Some(Kind::Http), &hosts), listed);
        for contradiction in
            [grant(Some(Kind::Http), &[]), grant(Some(Kind::None), &hosts), grant(Some(Kind::Full), &hosts)]
        {
            assert_eq!(contradiction, None);
        }
    }
}
