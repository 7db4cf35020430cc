//! The answer to a node that asks for the secrets of an execution.

use std::sync::Arc;

use skrei_job::{JobId, NodeId, outcome::Refusal};
use skrei_protocol::link::{SealedSecret, Secrets, ToNode, WantSecrets};
use tokio::sync::Semaphore;

use super::{
    Keys,
    sealed::{NotNow, refusal, sealed, sealer},
};
use crate::{
    nodes::Hub,
    orchestrator::Orchestrator,
    store::{Entitlement, NodeStanding, Store},
};

/// Answers nodes that ask, each when it is its turn. A fleet that asks for what is large keeps half of the store's readers busy
/// at most: the others are there for whoever else reads.
#[derive(Debug)]
pub(crate) struct Answers {
    store: Store,
    hub: Arc<Hub>,
    keys: Arc<Keys>,
    turns: Semaphore,
}

/// Answers a node. Whatever goes wrong is a refusal of the execution, with the rule; what nobody has sealed for this node yet
/// is waited for.
pub(crate) async fn deliver(orchestrator: &Orchestrator, node: &NodeId, wanted: WantSecrets) {
    // Before it is known whether something is missing: what is sealed meanwhile is not missed.
    orchestrator.waiting.wait(node, &wanted);
    let result = match orchestrator.answers.answer(node, &wanted).await {
        Ok(secrets) => Ok(secrets),
        Err(NotNow::Unsealed(name)) => {
            tracing::info!(%node, execution = %wanted.execution, secret = %name, "a node waits for a secret to be sealed to it");
            return;
        }
        Err(NotNow::Refused(refusal)) => {
            let reason = &refusal.message;
            tracing::warn!(%node, execution = %wanted.execution, %reason, "a node gets no secrets");
            Err(refusal)
        }
    };
    orchestrator.waiting.ended(node, &wanted.execution);
    orchestrator.hub.send(node, ToNode::Secrets(Secrets { execution: wanted.execution, result }));
}

/// Answers those that waited for secrets of a job: some were sealed.
pub(crate) async fn deliver_sealed(orchestrator: &Orchestrator, job: &JobId) {
    for (node, wanted) in orchestrator.waiting.take(job) {
        deliver(orchestrator, &node, wanted).await;
    }
}

impl Answers {
    pub(crate) fn new(store: &Store, hub: &Arc<Hub>, keys: &Arc<Keys>) -> Self {
        let (store, hub, keys) = (store.clone(), Arc::clone(hub), Arc::clone(keys));
        let turns = Semaphore::new(store.readers() / 2);
        Self { store, hub, keys, turns }
    }

    async fn answer(&self, node: &NodeId, wanted: &WantSecrets) -> Result<Vec<SealedSecret>, NotNow> {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let (hub, keys) = (Arc::clone(&self.hub), Arc::clone(&self.keys));
        let (node, wanted) = (node.clone(), wanted.clone());
        // To read and to seal takes a tenth of a millisecond or so: not on a thread that answers others.
        let sealing = self.store.reading(move |store| {
            let sealer = sealer(&hub, &node)?;
            keys.in_force(|ring| {
                let found = store.entitlement(&wanted.job, &wanted.execution).map_err(unread)?;
                let (entitlement, standing) = entitled(found, &node)?;
                sealed(&entitlement, &standing, &wanted.execution, (ring, &sealer))
            })
        });
        sealing.await.unwrap_or_else(|error| Err(unread(error).into()))
    }
}

fn unread(error: impl std::error::Error) -> Refusal {
    tracing::error!(%error, "secrets cannot be read");
    refusal("the orchestrator's store does not answer".to_owned(), None)
}

/// A node gets what belongs to the executions it was given, as long as they go on and it may take part.
fn entitled(found: Option<Entitlement>, node: &NodeId) -> Result<(Entitlement, NodeStanding), Refusal> {
    let found = found.filter(|found| found.node == *node && !found.has_ended);
    let standing = found.as_ref().and_then(|found| found.standing.clone());
    match found.zip(standing.filter(|standing| standing.is_approved)) {
        Some(entitled) => Ok(entitled),
        // Whoever asks for what is not his does not hear whether it exists.
        _ => Err(refusal(
            format!(
                "node `{node}` has no such execution, or it has ended: secrets are given for executions that go on"
            ),
            None,
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use skrei_job::{ExecutionId, Timestamp};
    use skrei_protocol::link::NodeInfo;
    use skrei_vault::SealingKey;

    use super::*;
    use crate::secrets::KeySource;

    #[tokio::test]
    async fn a_fleet_that_asks_at_once_leaves_half_of_the_readers_to_others() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let keys = Arc::new(Keys::open(&KeySource::File(directory.path().join("keys")), false).unwrap());
        let hub = Arc::new(Hub::default());
        let sealing_key = SealingKey::generate().unwrap().recipient().to_string();
        let (node, info) = (NodeId::new("n-1"), NodeInfo { sealing_key, ..NodeInfo::default() });
        let _seat = hub.attach(&node, info, String::new(), ([127, 0, 0, 1], 1).into(), Timestamp::default());
        let answers = Answers::new(&store, &hub, &keys);
        let half = u32::try_from(store.readers() / 2).unwrap();
        assert!(half >= 2, "{half}");

        // As many as are answered at once.
        let answered = answers.turns.acquire_many(half).await.unwrap();
        let wanted = WantSecrets { execution: ExecutionId::new("e-1"), job: JobId::new("j-1") };
        let mut asks = std::pin::pin!(answers.answer(&node, &wanted));
        let early = tokio::time::timeout(Duration::from_millis(100), asks.as_mut()).await;
        assert!(early.is_err(), "it is not its turn");
        store.reading(|_| ()).await.unwrap();
        drop(answered);
        let NotNow::Refused(refusal) = asks.await.unwrap_err() else { panic!("nothing is sealed") };
        assert!(refusal.message.contains("no such execution"), "{}", refusal.message);
    }
}
