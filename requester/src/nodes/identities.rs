//! Who may call: the certificates that speak for nodes, and what a caller is by the one it shows.
//!
//! What is not listed here speaks for nobody, whoever signed it: an identity that was revoked is refused at the next
//! request, and whatever is open for it ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use skrei_job::NodeId;
use skrei_protocol::join::Refusal;
use skrei_tls::Fingerprint;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::store::{Error, JoinFault, Joining, PublicKeyHash, Standing, Store, StoredIdentity};

/// Connections one node may have at once: its link, and what it fetches and sends meanwhile.
const CONNECTIONS_MAX: usize = 64;

/// The identities of all nodes.
#[derive(Debug)]
pub(crate) struct Identities {
    store: Store,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    nodes: BTreeMap<NodeId, Entry>,
    /// Whom a certificate speaks for, or spoke.
    certificates: BTreeMap<Fingerprint, NodeId>,
}

#[derive(Debug)]
struct Entry {
    identity: StoredIdentity,
    revoked: CancellationToken,
    connections: Arc<Semaphore>,
}

/// A node that has shown who it is.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Which node.
    pub(crate) node: NodeId,
    /// The certificate it showed.
    pub(crate) certificate: Fingerprint,
    /// Cancelled when it may go on no longer.
    pub(crate) revoked: CancellationToken,
    /// A permit for each connection.
    pub(crate) connections: Arc<Semaphore>,
}

/// What a caller is that is no node of this orchestrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// It shows no certificate.
    Unnamed,
    /// It shows one that this orchestrator does not list.
    Unknown,
    /// Somebody turned the node away.
    Rejected(NodeId),
    /// Somebody removed the node.
    Removed(NodeId),
}

impl Stranger {
    /// What it is told.
    pub(crate) fn refusal(&self) -> Refusal {
        let anew = "to let it join anew, remove `compute/identity.pem` below its data directory and start it with a \
            token from `skrei node token create`";
        let (message, hint) = match self {
            Self::Unnamed => ("only a node that has joined may ask for this".to_owned(), anew.to_owned()),
            Self::Unknown => {
                ("this orchestrator does not know the node's certificate".to_owned(), anew.to_owned())
            }
            Self::Rejected(node) => (
                format!("node `{node}` was rejected"),
                format!("`skrei node approve {node}` lets it in again"),
            ),
            Self::Removed(node) => (format!("node `{node}` was deleted"), anew.to_owned()),
        };
        Refusal { message, hint }
    }
}

impl Identities {
    /// Those that are stored.
    pub(crate) fn open(store: Store) -> Result<Self, Error> {
        let mut known = Known::default();
        for identity in store.identities()? {
            known.put(identity);
        }
        Ok(Self { store, known: Mutex::new(known) })
    }

    /// Whom a certificate speaks for. Who holds its key was proved when the connection was made.
    pub(crate) fn caller(&self, certificate: Option<Fingerprint>) -> Result<Caller, Stranger> {
        let certificate = certificate.ok_or(Stranger::Unnamed)?;
        let known = self.known();
        let node = known.certificates.get(&certificate).ok_or(Stranger::Unknown)?.clone();
        let entry = known.nodes.get(&node).ok_or(Stranger::Unknown)?;
        match entry.identity.standing {
            Standing::Admitted => Ok(Caller {
                node,
                certificate,
                revoked: entry.revoked.clone(),
                connections: Arc::clone(&entry.connections),
            }),
            Standing::Rejected => Err(Stranger::Rejected(node)),
            Standing::Removed => Err(Stranger::Removed(node)),
        }
    }

    /// Lets a node in; answers when that is on disk.
    pub(crate) async fn join(&self, joining: Joining) -> Result<Result<(), JoinFault>, Error> {
        let joined = self.store.join(joining).await?;
        Ok(joined.map(|identity| self.known().put(identity)))
    }

    /// A caller goes on with another certificate, too. False if it may not.
    pub(crate) async fn renew(
        &self,
        caller: &Caller,
        public_key: PublicKeyHash,
        next: Fingerprint,
    ) -> Result<bool, Error> {
        let renewed = self.store.renew(caller.node.clone(), caller.certificate, public_key, next).await?;
        Ok(renewed.map(|identity| self.known().put(identity)).is_some())
    }

    /// A node is let in no more, or again; answers when that is on disk and whatever was open for it is ending. A node
    /// that never joined has nothing to lose.
    pub(crate) async fn set_standing(&self, node: NodeId, standing: Standing) -> Result<(), Error> {
        if let Some(identity) = self.store.set_standing(node, standing).await? {
            self.known().put(identity);
        }
        Ok(())
    }

    /// Every certificate that speaks for a node.
    pub(crate) fn certificates(&self) -> BTreeSet<Fingerprint> {
        self.known().certificates.keys().copied().collect()
    }

    /// Nodes that are let in and whose newest certificate is one of these.
    pub(crate) fn holding(&self, certificates: &BTreeSet<Fingerprint>) -> Vec<NodeId> {
        let known = self.known();
        let holds = |entry: &Entry| {
            entry.identity.standing == Standing::Admitted
                && certificates.contains(&entry.identity.certificate)
        };
        known.nodes.iter().filter(|(_, entry)| holds(entry)).map(|(node, _)| node.clone()).collect()
    }

    /// Whether somebody removed the node, and it has not joined since.
    pub(crate) fn is_removed(&self, node: &NodeId) -> bool {
        self.known().nodes.get(node).is_none_or(|entry| entry.identity.standing == Standing::Removed)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Takes in what holds now, unless something later is known: changes reach this in any order.
    fn put(&mut self, identity: StoredIdentity) {
        let node = identity.node.clone();
        let mut listed = vec![identity.certificate];
        listed.extend(identity.before);
        match self.nodes.get_mut(&node) {
            Some(entry) if entry.identity.revision >= identity.revision => return,
            Some(entry) => {
                let is_another = entry.identity.public_key != identity.public_key
                    && entry.identity.standing == Standing::Removed;
                if identity.standing != Standing::Admitted || is_another {
                    entry.revoked.cancel();
                }
                if identity.standing == Standing::Admitted && entry.revoked.is_cancelled() {
                    entry.revoked = CancellationToken::new();
                }
                entry.identity = identity;
            }
            None => {
                let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
                let entry = Entry { identity, revoked: CancellationToken::new(), connections };
                self.nodes.insert(node.clone(), entry);
            }
        }
        self.certificates.retain(|certificate, of| *of != node || listed.contains(certificate));
        self.certificates.extend(listed.into_iter().map(|certificate| (certificate, node.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(digit: &str) -> Fingerprint {
        digit.repeat(64).parse().unwrap()
    }

    fn identity(
        certificate: &str,
        before: Option<&str>,
        standing: Standing,
        revision: u64,
    ) -> StoredIdentity {
        StoredIdentity {
            node: NodeId::new("a"),
            public_key: [0; 32],
            certificate: fingerprint(certificate),
            before: before.map(fingerprint),
            standing,
            revision,
        }
    }

    #[test]
    fn what_is_known_last_counts_in_whatever_order_it_is_heard() {
        let mut known = Known::default();
        known.put(identity("1", None, Standing::Admitted, 1));
        let revoked = known.nodes[&NodeId::new("a")].revoked.clone();
        known.put(identity("1", None, Standing::Rejected, 3));
        known.put(identity("2", Some("1"), Standing::Admitted, 2));
        assert_eq!(known.nodes[&NodeId::new("a")].identity.standing, Standing::Rejected);
        assert!(revoked.is_cancelled());
        known.put(identity("1", None, Standing::Admitted, 4));
        assert!(!known.nodes[&NodeId::new("a")].revoked.is_cancelled());
        assert!(revoked.is_cancelled(), "what was open then has ended");
    }

    #[test]
    fn two_certificates_at_most_speak_for_a_node() {
        let mut known = Known::default();
        known.put(identity("1", None, Standing::Admitted, 1));
        known.put(identity("2", Some("1"), Standing::Admitted, 2));
        known.put(identity("3", Some("2"), Standing::Admitted, 3));
        let listed: Vec<_> = known.certificates.keys().copied().collect();
        assert_eq!(listed, [fingerprint("2"), fingerprint("3")]);
    }
}
