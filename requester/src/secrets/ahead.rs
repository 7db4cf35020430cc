//! Secrets that go with an assignment: sealed while the decision is on its way to the disk, so that a node that runs the
//! execution at once need not ask.
//!
//! Only what may be given is given ahead. Whatever is in the way, here nothing follows from it: the node asks, and hears the
//! rule ([`mod@super::deliver`]).

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use skrei_job::{ExecutionId, JobId, NodeId};
use skrei_protocol::link::SealedSecret;
use skrei_scheduler::Grant;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Keys,
    sealed::{sealed, sealer},
};
use crate::{
    nodes::Hub,
    store::{Entitlement, Error, NodeStanding, Reader, Store},
};

/// Executions whose secrets are sealed ahead in one turn of the event loop. The nodes of others ask, and are answered by
/// themselves: what is ahead is waited for by everything that was decided in that turn.
pub(crate) const AHEAD_MAX: usize = 16;

/// Of what one execution gets, locked or in envelopes. With it, an assignment is still far from the largest message.
const AHEAD_BYTES_MAX: usize = 256 << 10;

/// How long what is on the disk waits for what is sealed. The disk takes longer nearly always.
const WAIT_MAX: Duration = Duration::from_millis(5);

/// An execution that was just placed on a node, and what decides about its secrets as it was then.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) execution: ExecutionId,
    pub(crate) node: NodeId,
    pub(crate) standing: NodeStanding,
    pub(crate) job: JobId,
    pub(crate) version: u64,
    pub(crate) namespace: String,
    pub(crate) job_name: String,
    /// What the version may have, if that is not on the disk yet.
    pub(crate) grants: Option<Arc<[Grant]>>,
}

/// Secrets by execution: for each all that it may have.
type ByExecution = BTreeMap<ExecutionId, Vec<SealedSecret>>;

/// Secrets that are being sealed.
#[derive(Debug)]
pub(crate) struct Ahead(Option<AbortOnDropHandle<Result<ByExecution, Error>>>);

impl Ahead {
    /// Begins to seal the secrets of these, on the thread of a reader of the store. While all of those are busy nothing is
    /// sealed ahead: threads that nobody waits for any longer would pile up behind them.
    pub(crate) fn begin(store: &Store, hub: &Arc<Hub>, keys: &Arc<Keys>, placed: Vec<Placed>) -> Self {
        if placed.is_empty() {
            return Self(None);
        }
        let (hub, keys) = (Arc::clone(hub), Arc::clone(keys));
        let sealing = store.reading_now(move |store| {
            let seal = |placed: Placed| Some((placed.execution.clone(), seal(store, &hub, &keys, placed)?));
            placed.into_iter().filter_map(seal).collect()
        });
        // Not begun when nobody waits for it any longer, it is not begun at all.
        Self(sealing.map(AbortOnDropHandle::new))
    }

    /// What was sealed; nothing if that takes too long.
    pub(crate) async fn sealed(self) -> ByExecution {
        let Some(sealing) = self.0 else { return ByExecution::new() };
        let sealed = tokio::time::timeout(WAIT_MAX, sealing).await;
        sealed.ok().and_then(Result::ok).and_then(Result::ok).unwrap_or_default()
    }
}

/// The secrets of one execution; none if something is in the way.
fn seal(store: Reader<'_>, hub: &Hub, keys: &Keys, placed: Placed) -> Option<Vec<SealedSecret>> {
    let Placed { execution, node, standing, job, version, namespace, job_name, grants } = placed;
    if !standing.is_approved {
        return None;
    }
    let sealer = sealer(hub, &node).ok()?;
    // Before what they open is read: what is locked again in between does not open, and is asked for.
    let ring = keys.ring();
    let (grants, stored) = store.granted(&job, version, &namespace, grants).ok()?;
    let entitlement =
        Entitlement { job, namespace, job_name, node, has_ended: false, standing: None, grants, stored };
    if bytes(&entitlement) > AHEAD_BYTES_MAX {
        return None;
    }
    sealed(&entitlement, &standing, &execution, (&ring, &sealer)).ok()
}

/// About as many as what is sealed has.
fn bytes(entitlement: &Entitlement) -> usize {
    let of_grant = |grant: &Grant| {
        let envelopes = grant.sealed.iter().flatten().map(|envelope| envelope.content.len());
        grant.locked.as_ref().map_or(0, Vec::len) + envelopes.max().unwrap_or(0)
    };
    let granted: usize = entitlement.grants.iter().map(of_grant).sum();
    granted + entitlement.stored.iter().map(|secret| secret.locked.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use skrei_job::{Timestamp, labels::Requirement, secret::Scope};
    use skrei_protocol::link::{NodeInfo, delivery};
    use skrei_vault::{Opener, Recipient, SealingKey, Secret};

    use super::*;
    use crate::{
        secrets::{KeySource, given, stored},
        store::StoredSecret,
    };

    const VALUE: &[u8] = b"canary-Zx93kQpL0vTtE7mW";

    /// An orchestrator's parts with one node that is linked, and a secret of the namespace for jobs called `deploy` in `eu`.
    struct Parts {
        store: Store,
        hub: Arc<Hub>,
        keys: Arc<Keys>,
        node: SealingKey,
        _directory: tempfile::TempDir,
        _seat: crate::nodes::Seat,
    }

    impl Parts {
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path()).unwrap();
            let keys = Keys::open(&KeySource::File(directory.path().join("keys")), false).unwrap();
            let node = SealingKey::generate().unwrap();
            let hub = Hub::default();
            let seat = attach(&hub, node.recipient());
            let (hub, keys) = (Arc::new(hub), Arc::new(keys));
            let parts = Self { store, hub, keys, node, _directory: directory, _seat: seat };
            parts.set(VALUE).await;
            parts
        }

        async fn set(&self, value: &[u8]) {
            let name = "kept".parse().unwrap();
            let locked = self.keys.ring().lock(&Secret::from(value), &stored("default", &name)).unwrap();
            let zone: Requirement =
                serde_json::from_str(r#"{"Key": "zone", "Operator": "=", "Values": ["eu"]}"#).unwrap();
            let secret = StoredSecret {
                namespace: "default".to_owned(),
                name,
                version: 1,
                locked: locked.to_bytes(),
                fingerprint: String::new(),
                scope: Scope { jobs: vec!["deploy".to_owned()], nodes: vec![zone] },
                created: Timestamp::default(),
                modified: Timestamp::default(),
            };
            self.store.put_secret(secret).await.unwrap();
        }

        /// Of a job that may have it, on a node that people said is in `eu`.
        fn placed(&self) -> Placed {
            let labels = [("zone".to_owned(), "eu".to_owned())].into_iter().collect();
            Placed {
                execution: ExecutionId::new("e-1"),
                node: NodeId::new("n-1"),
                standing: NodeStanding { is_approved: true, vouched: Clone::clone(&labels), labels },
                job: JobId::new("j-1"),
                version: 1,
                namespace: "default".to_owned(),
                job_name: "deploy".to_owned(),
                grants: Some([grant("kept", None)].into()),
            }
        }

        fn given(&self, name: &str, value: &[u8]) -> Grant {
            let context = given(&JobId::new("j-1"), &name.parse().unwrap());
            let locked = self.keys.ring().lock(&Secret::from(value), &context).unwrap();
            grant(name, Some(locked.to_bytes()))
        }

        /// What the node makes of what goes ahead.
        async fn gets(&self, placed: Placed) -> Option<Vec<Vec<u8>>> {
            let (execution, node) = (placed.execution.clone(), placed.node.clone());
            let (hub, keys) = (Arc::clone(&self.hub), Arc::clone(&self.keys));
            let sealed = self.store.reading(move |store| seal(store, &hub, &keys, placed)).await.unwrap()?;
            let open = |secret: SealedSecret| {
                let context = delivery(&node, &execution, &secret.name);
                let opened = Opener::default().open(&self.node, &secret.sealed, &context);
                opened.unwrap().expose().clone()
            };
            Some(sealed.into_iter().map(open).collect())
        }
    }

    fn attach(hub: &Hub, key: &Recipient) -> crate::nodes::Seat {
        let info = NodeInfo { sealing_key: key.to_string(), ..NodeInfo::default() };
        let address = ([127, 0, 0, 1], 1).into();
        hub.attach(&NodeId::new("n-1"), info, String::new(), address, Timestamp::default())
    }

    fn grant(name: &str, locked: Option<Vec<u8>>) -> Grant {
        Grant {
            name: name.parse().unwrap(),
            given: locked.is_some(),
            locked,
            sealed: None,
            fingerprint: String::new(),
            at: Timestamp::default(),
        }
    }

    #[tokio::test]
    async fn a_node_gets_all_secrets_of_an_execution_ahead_or_none() {
        let parts = Parts::new().await;
        let both: Arc<[Grant]> = [parts.given("given", b"with the job"), grant("kept", None)].into();
        let with_both = Placed { grants: Some(Arc::clone(&both)), ..parts.placed() };
        assert_eq!(parts.gets(with_both).await, Some(vec![b"with the job".to_vec(), VALUE.to_vec()]));

        // Whatever keeps one of them away, it is for the answer to a question to say.
        let outside = NodeStanding { is_approved: true, ..NodeStanding::default() };
        let unapproved = NodeStanding { is_approved: false, ..parts.placed().standing };
        let elsewhere = NodeId::new("n-2");
        for kept_back in [
            Placed { standing: outside, grants: Some(both), ..parts.placed() },
            Placed { standing: unapproved, ..parts.placed() },
            Placed { job_name: "backup".to_owned(), ..parts.placed() },
            Placed { namespace: "other".to_owned(), ..parts.placed() },
            Placed { node: elsewhere, ..parts.placed() },
            Placed { grants: Some([grant("never-set", None)].into()), ..parts.placed() },
        ] {
            let what = format!("{kept_back:?}");
            assert_eq!(parts.gets(kept_back).await, None, "{what}");
        }
        assert_eq!(parts.gets(parts.placed()).await, Some(vec![VALUE.to_vec()]), "and else it goes");
        parts.store.remove_secret("default".to_owned(), "kept".parse().unwrap()).await.unwrap();
        assert_eq!(parts.gets(parts.placed()).await, None, "what was removed goes to nobody");
    }

    #[tokio::test]
    async fn what_would_make_a_large_message_is_asked_for() {
        let parts = Parts::new().await;
        let of = async |count: usize| {
            let large = vec![b'x'; skrei_job::secret::VALUE_BYTES_MAX];
            let grants = (0..count).map(|number| parts.given(&format!("s{number}"), &large)).collect();
            parts.gets(Placed { grants: Some(grants), ..parts.placed() }).await.map(|got| got.len())
        };
        assert_eq!((of(3).await, of(4).await), (Some(3), None));
    }

    #[tokio::test]
    async fn who_waits_for_what_is_sealed_waits_no_longer_than_it_takes() {
        let parts = Parts::new().await;
        let placed = vec![parts.placed()];
        let Parts { store, hub, keys, .. } = parts;
        assert!(Ahead::begin(&store, &hub, &keys, Vec::new()).sealed().await.is_empty());
        // On a machine that is busy it may take longer than anybody waits, now and then.
        let mut tries = 0;
        while Ahead::begin(&store, &hub, &keys, placed.clone()).sealed().await.is_empty() {
            tries += 1;
            assert!(tries < 1000, "nothing is ever sealed in time");
        }
        // The thread for it never comes.
        let never = tokio::task::spawn(std::future::pending());
        assert!(Ahead(Some(AbortOnDropHandle::new(never))).sealed().await.is_empty());
    }
}
