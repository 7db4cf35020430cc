//! Looking names up, by the system's resolver: it takes a thread for each name, for as long as it likes.

use std::io;
use std::net::{IpAddr, Ipv6Addr, ToSocketAddrs as _};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::{Attempt, Gate, Host, Outbound};

/// Names that are looked up at once, for all guests together.
pub(super) const LOOKUPS_MAX: usize = 16;

/// Names that are looked up at once for one guest, so that none takes every thread.
const LOOKUPS_MAX_PER_GUEST: usize = 4;

/// Leave to look up so many names at once. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Lookups(Arc<Semaphore>);

impl Lookups {
    pub(super) fn of_all() -> Lookups {
        Lookups(Arc::new(Semaphore::new(LOOKUPS_MAX)))
    }

    pub(super) fn of_a_guest() -> Lookups {
        Lookups(Arc::new(Semaphore::new(LOOKUPS_MAX_PER_GUEST)))
    }

    async fn one(&self) -> io::Result<OwnedSemaphorePermit> {
        Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)
    }
}

/// Why a name that a guest asked for has no addresses.
#[derive(Debug)]
pub(crate) enum LookupError {
    /// It is no name and no address.
    Invalid,
    /// The grant does not cover it.
    Denied,
    /// It leads nowhere, as far as the resolver knows.
    Unresolvable,
}

/// The addresses of a name, for a socket of the guest's own. An address is its own, and nobody is asked.
pub(crate) async fn resolve(
    gate: &Gate,
    outbound: &Outbound,
    name: &str,
) -> Result<Vec<IpAddr>, LookupError> {
    let bare = name.parse::<Ipv6Addr>().map(|address| Host::address(address.into()));
    let host = bare.or_else(|_| name.parse()).map_err(|_| LookupError::Invalid)?;
    gate.admit(Attempt::Lookup { host: host.clone() }).map_err(|_| LookupError::Denied)?;
    match host {
        Host::Address(address) => Ok(vec![address]),
        Host::Name(name) => look_up(gate, outbound, &name).await.map_err(|_| LookupError::Unresolvable),
    }
}

/// The addresses of a name. To be called where connections live.
pub(super) async fn look_up(gate: &Gate, outbound: &Outbound, name: &str) -> io::Result<Vec<IpAddr>> {
    let name = name.to_owned();
    let ask = move || {
        let found = (name.as_str(), 0).to_socket_addrs()?;
        Ok(found.map(|address| address.ip().to_canonical()).collect())
    };
    in_turn(gate.lookups(), outbound.lookups(), ask).await?
}

/// Has a thread do something that may take long. Whoever stops waiting for it has not stopped it: the leave to do it is
/// given back when the thread is.
async fn in_turn<T: Send + 'static>(
    of_guest: &Lookups,
    of_all: &Lookups,
    ask: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let leave = (of_guest.one().await?, of_all.one().await?);
    let asking = spawn_blocking(move || {
        let _leave = leave;
        ask()
    });
    asking.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_guest_that_stops_waiting_still_has_its_lookups_and_others_have_theirs() {
        let threads = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (of_all, greedy, other) = (Lookups::of_all(), Lookups::of_a_guest(), Lookups::of_a_guest());
        let (let_go, held) = mpsc::channel::<()>();
        let held = Arc::new(std::sync::Mutex::new(held));
        threads.block_on(async {
            let soon = Duration::from_millis(20);
            for _ in 0..LOOKUPS_MAX_PER_GUEST {
                let held = Arc::clone(&held);
                // The first waits for the word, the others for the first.
                let ask = move || held.lock().unwrap().recv();
                assert!(tokio::time::timeout(soon, in_turn(&greedy, &of_all, ask)).await.is_err());
            }
            assert!(tokio::time::timeout(soon, in_turn(&greedy, &of_all, || ())).await.is_err());
            assert_eq!(in_turn(&other, &of_all, || 7).await.unwrap(), 7);
            drop(let_go);
            assert_eq!(in_turn(&greedy, &of_all, || 7).await.unwrap(), 7);
        });
    }

    #[test]
    fn an_address_is_its_own_and_what_is_not_granted_is_not_looked_up() {
        let outbound = Outbound::new(Vec::new());
        let resolve = |network, name: &str| {
            crate::block_on::block_on(resolve(&Gate::new(network, Vec::new()), &outbound, name))
        };
        for (name, address) in [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::ffff:1.2.3.4]", "1.2.3.4")] {
            assert_eq!(resolve(crate::Network::Full, name).unwrap(), [address.parse::<IpAddr>().unwrap()]);
        }
        assert!(matches!(resolve(crate::Network::Full, "a b"), Err(LookupError::Invalid)));
        // Without an executor a lookup would panic.
        assert!(matches!(resolve(crate::Network::Denied, "localhost"), Err(LookupError::Denied)));
        let listed = crate::Network::http(["localhost"]).unwrap();
        assert!(matches!(resolve(listed, "localhost"), Err(LookupError::Denied)));
    }
}
