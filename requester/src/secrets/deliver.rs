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

/// Nodes that are answered at once. A fleet that asks for what is large keeps half of the store's readers busy at most: the
/// others are there for whoever else reads.
const AT_ONCE: usize = 2;

/// Answers nodes that ask, each when it is its turn.
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
        Self { store, hub, keys, turns: Semaphore::new(AT_ONCE) }
    }

    async fn answer(&self, node: &NodeId, wanted: &WantSecrets) -> Result<Vec<SealedSecret>, NotNow> {
        let sealer = sealer(&self.hub, node)?;
        // Never closed.
        let _turn = self.turns.acquire().await;
        let (keys, node, wanted) = (Arc::clone(&self.keys), node.clone(), wanted.clone());
        // To read and to seal takes a tenth of a millisecond or so: not on a thread that answers others.
        let sealing = self.store.reading(move |store| {
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
    use std::sync::atomic::{AtomicUsize, Ordering};

    use skrei_job::{ExecutionId, Timestamp};
    use skrei_protocol::link::NodeInfo;
    use skrei_vault::SealingKey;

    use super::*;
    use crate::secrets::KeySource;

    const FLEET: usize = 1_000;

    #[test]
    fn a_fleet_that_asks_at_once_is_answered_by_a_few_threads() {
        let started = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&started);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .on_thread_start(move || {
                counted.fetch_add(1, Ordering::SeqCst);
            })
            .build()
            .unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let store = Store::open(directory.path()).unwrap();
            let keys = Arc::new(Keys::open(&KeySource::File(directory.path().join("keys")), false).unwrap());
            let hub = Arc::new(Hub::default());
            let sealing_key = SealingKey::generate().unwrap().recipient().to_string();
            let (node, info) = (NodeId::new("n-1"), NodeInfo { sealing_key, ..NodeInfo::default() });
            let address = ([127, 0, 0, 1], 1).into();
            let _seat = hub.attach(&node, info, String::new(), address, Timestamp::default());
            let answers = Arc::new(Answers::new(&store, &hub, &keys));
            let mut asking = tokio::task::JoinSet::new();
            for number in 0..FLEET {
                let (answers, node) = (Arc::clone(&answers), node.clone());
                let execution = ExecutionId::new(format!("e-{number}"));
                let wanted = WantSecrets { execution, job: JobId::new("j-1") };
                asking.spawn(async move { answers.answer(&node, &wanted).await });
            }
            for answer in asking.join_all().await {
                let NotNow::Refused(refusal) = answer.unwrap_err() else { panic!("nothing is sealed") };
                assert!(refusal.message.contains("no such execution"), "{}", refusal.message);
            }
        });
        // Without turns there would be as many as a runtime may have, 512. A thread that has given its turn away may not be idle
        // yet when the next one is looked for: then there is one more than turns.
        let started = started.load(Ordering::SeqCst);
        assert!((1..FLEET / 10).contains(&started), "{started} threads for {FLEET} questions");
    }
}
