//! The grant in force in one run.

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
pub(crate) struct Gate {
    network: Arc<Network>,
    usage: Arc<Mutex<NetworkUsage>>,
    lookups: Lookups,
}

impl Gate {
    pub(crate) fn new(network: Network) -> Gate {
        Gate { network: Arc::new(network), usage: Arc::default(), lookups: Lookups::of_a_guest() }
    }

    /// Whether nothing gets through, whatever it is.
    pub(crate) fn is_closed(&self) -> bool {
        *self.network == Network::Denied
    }

    /// Nothing, if the attempt is covered by the grant.
    pub(crate) fn admit(&self, attempt: Attempt) -> Result<(), Denial> {
        match judge(&self.network, &attempt) {
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
        judge(&self.network, &Attempt::Sockets) == Verdict::Allowed
    }

    /// How many names are looked up for the run at once.
    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// What the run came to so far.
    pub(crate) fn usage(&self) -> NetworkUsage {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, NetworkUsage> {
        // Nothing panics while holding the lock, so what is there is whole.
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
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
        let gate = Gate::new(Network::http(["example.org"]).unwrap());
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
}
