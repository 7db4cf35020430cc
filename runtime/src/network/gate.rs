//! The grant in force in one run.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lookup::Lookups;
use super::{Attempt, Denial, Network, Verdict, judge};

/// Different denials that are kept of one run; further ones are counted.
const DENIALS_KEPT_MAX: usize = 32;

/// What a run did, and wanted to do, on the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkUsage {
    /// HTTP requests that were allowed.
    pub requests: u64,
    /// Attempts that were denied.
    pub denied: u64,
    /// The first 32 different ones of those.
    pub denials: Vec<Denial>,
}

/// Lets through what the grant covers, and remembers the rest. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Grant>);

#[derive(Debug)]
struct Grant {
    network: Network,
    /// Where the guest may be called, whatever it may reach.
    listen: Vec<SocketAddr>,
    usage: Mutex<NetworkUsage>,
    lookups: Lookups,
}

impl Gate {
    pub(crate) fn new(network: Network, listen: Vec<SocketAddr>) -> Gate {
        let (usage, lookups) = (Mutex::default(), Lookups::of_a_guest());
        Gate(Arc::new(Grant { network, listen, usage, lookups }))
    }

    /// Whether nothing gets through, whatever it is.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.network == Network::Denied
    }

    /// Nothing, if the attempt is covered by the grant.
    pub(crate) fn admit(&self, attempt: Attempt) -> Result<(), Denial> {
        match self.judge(&attempt) {
            Verdict::Allowed => {
                if let Attempt::Request { .. } = attempt {
                    self.lock().requests += 1;
                }
                Ok(())
            }
            Verdict::Denied(rule) => {
                let denial = Denial { attempt, rule };
                let mut usage = self.lock();
                usage.denied += 1;
                if usage.denials.len() < DENIALS_KEPT_MAX && !usage.denials.contains(&denial) {
                    usage.denials.push(denial.clone());
                }
                Err(denial)
            }
        }
    }

    /// Whether the grant covers sockets.
    pub(crate) fn grants_sockets(&self) -> bool {
        self.judge(&Attempt::Sockets) == Verdict::Allowed
    }

    /// Whether it covers sockets of any kind, and looking up names.
    pub(crate) fn grants_all_sockets(&self) -> bool {
        judge(&self.0.network, &Attempt::Sockets) == Verdict::Allowed
    }

    /// How many names are looked up for the run at once.
    pub(super) fn lookups(&self) -> &Lookups {
        &self.0.lookups
    }

    fn judge(&self, attempt: &Attempt) -> Verdict {
        let covers = |granted: &SocketAddr, address: &SocketAddr| {
            let is_there = granted.ip() == address.ip()
                || (granted.ip().is_unspecified() && granted.is_ipv4() == address.is_ipv4());
            is_there && granted.port() == address.port()
        };
        let listens = match attempt {
            Attempt::Sockets => !self.0.listen.is_empty(),
            Attempt::Listen { address } => self.0.listen.iter().any(|granted| covers(granted, address)),
            _ => false,
        };
        if listens { Verdict::Allowed } else { judge(&self.0.network, attempt) }
    }

    /// What the run came to so far.
    pub(crate) fn usage(&self) -> NetworkUsage {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, NetworkUsage> {
        // Nothing panics while holding the lock, so what is there is whole.
        self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DenialRule, Host};
    use super::*;

    fn request(host: &str) -> Attempt {
        Attempt::Request { host: Host::Name(host.to_owned()), port: 80 }
    }

    #[test]
    fn what_was_denied_is_kept_once_and_counted_always() {
        let gate = Gate::new(Network::http(["example.org"]).unwrap(), Vec::new());
        assert_eq!(gate.admit(request("example.org")), Ok(()));
        for _ in 0..3 {
            let denial = gate.clone().admit(request("evil.example")).unwrap_err();
            assert_eq!(denial.rule, DenialRule::NotListed);
            let said = "a request to evil.example:80 was denied: it is on no entry of the list of hosts";
            assert_eq!(denial.to_string(), said);
        }
        for number in 0..100 {
            gate.admit(request(&format!("{number}.example"))).unwrap_err();
        }
        let usage = gate.usage();
        assert_eq!((usage.requests, usage.denied, usage.denials.len()), (1, 103, DENIALS_KEPT_MAX));
        assert_eq!(usage.denials[0].attempt, request("evil.example"));
    }

    #[test]
    fn a_guest_that_may_listen_somewhere_may_do_nothing_else() {
        let gate =
            Gate::new(Network::Denied, vec!["127.0.0.1:80".parse().unwrap(), "0.0.0.0:81".parse().unwrap()]);
        assert!(gate.grants_sockets() && !gate.grants_all_sockets() && gate.admit(Attempt::Sockets).is_ok());
        let listens =
            |address: &str| gate.admit(Attempt::Listen { address: address.parse().unwrap() }).is_ok();
        assert!(listens("127.0.0.1:80") && listens("0.0.0.0:81") && listens("10.0.0.1:81"));
        for other in ["0.0.0.0:80", "127.0.0.1:82", "[::]:81", "[::1]:80", "127.0.0.1:0"] {
            assert!(!listens(other), "{other}");
        }
        let address = "127.0.0.1:80".parse().unwrap();
        assert!(gate.admit(Attempt::Socket { address }).is_err());
        assert!(!Gate::new(Network::Denied, Vec::new()).grants_sockets());
    }
}
