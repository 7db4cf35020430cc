//! Who is connected, and the way to them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use skrei_job::{Digest, ExecutionId, NodeId, Spec, Timestamp, outcome::Refusal, spec::Source};
use skrei_protocol::link::{Granted, Judge, Judgement, Load, LogChunk, LogPage, NodeInfo, ReadLog, ToNode};

use skrei_vault::{Recipient, SealError, Sealer};

use super::{outbox::Outbox, questions::Questions};
use crate::told;

/// The connected nodes.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    peers: Mutex<BTreeMap<NodeId, Peer>>,
    reads: Questions<Result<LogChunk, String>>,
    /// Who asked what a node would make of a job.
    judgements: Questions<Result<Vec<Granted>, Refusal>>,
    /// What each node was told to run and has not ended, as far as is known: what it may fetch follows from that. Kept
    /// while its link is down, for what it fetches meanwhile.
    assigned: Mutex<BTreeMap<NodeId, BTreeMap<ExecutionId, Arc<Spec>>>>,
    next: AtomicU64,
    /// What their guests say of how far they are.
    pub(crate) told: told::Board,
}

/// A connected node.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    session: u64,
    outbox: Arc<Outbox>,
    pub(crate) info: NodeInfo,
    pub(crate) version: String,
    pub(crate) address: SocketAddr,
    pub(crate) since: Timestamp,
    pub(crate) heard: Timestamp,
    pub(crate) load: Load,
    /// Made for the first secret that this link brings the node.
    sealer: Option<Arc<Sealer>>,
}

/// Why a log cannot be read from a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("node `{0}` is not connected")]
    NotConnected(NodeId),
    #[error("{0}")]
    Node(String),
}

/// One node's place in the hub.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) session: u64,
    pub(crate) outbox: Arc<Outbox>,
}

impl Peer {
    /// The last of its reports that is on disk.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.outbox.acknowledged()
    }
}

impl Hub {
    /// Gives a node its place. A place it had before is closed: the last to come counts.
    pub(crate) fn attach(
        &self,
        node: &NodeId,
        info: NodeInfo,
        version: String,
        address: SocketAddr,
        now: Timestamp,
    ) -> Seat {
        let session = self.next.fetch_add(1, Ordering::Relaxed);
        let outbox = Arc::new(Outbox::default());
        let load = Load { available: info.capacity, ..Load::default() };
        let peer = Peer {
            session,
            outbox: Arc::clone(&outbox),
            info,
            version,
            address,
            since: now,
            heard: now,
            load,
            sealer: None,
        };
        let mut peers = self.peers();
        if let Some(before) = peers.insert(node.clone(), peer) {
            before.outbox.close();
            self.nothing_comes_of(node);
        }
        drop(peers);
        Seat { session, outbox }
    }

    /// What a node was asked on a link that is over it answers no more.
    fn nothing_comes_of(&self, node: &NodeId) {
        self.reads.gone(node);
        self.judgements.gone(node);
    }

    /// Takes the node's place away, if it is still that of this session. Tells whether it was.
    pub(crate) fn detach(&self, node: &NodeId, session: u64) -> bool {
        let mut peers = self.peers();
        let current = peers.get(node).is_some_and(|peer| peer.session == session);
        if current {
            peers.remove(node);
            // Before the node can be back, and be asked anew.
            self.nothing_comes_of(node);
        }
        current
    }

    /// Notes what a session heard from its node.
    pub(crate) fn heard(&self, node: &NodeId, session: u64, now: Timestamp, update: impl FnOnce(&mut Peer)) {
        if let Some(peer) = self.peers().get_mut(node).filter(|peer| peer.session == session) {
            peer.heard = now;
            update(peer);
        }
    }

    /// A connected node.
    pub(crate) fn peer(&self, node: &NodeId) -> Option<Peer> {
        self.peers().get(node).cloned()
    }

    /// What seals secrets to a node, by the key that it told; none if it is not connected.
    pub(crate) fn sealer(&self, node: &NodeId) -> Option<Result<Arc<Sealer>, SealError>> {
        let (session, key) = {
            let peers = self.peers();
            let peer = peers.get(node)?;
            if let Some(sealer) = peer.sealer.as_ref().filter(|sealer| !sealer.is_used_up()) {
                return Some(Ok(Arc::clone(sealer)));
            }
            (peer.session, peer.info.sealing_key.clone())
        };
        // It takes a while: two who come at once make one each, and either is good.
        let sealer = match key.parse::<Recipient>().and_then(|recipient| recipient.sealer()) {
            Ok(sealer) => Arc::new(sealer),
            Err(error) => return Some(Err(error)),
        };
        if let Some(peer) = self.peers().get_mut(node).filter(|peer| peer.session == session) {
            peer.sealer = Some(Arc::clone(&sealer));
        }
        Some(Ok(sealer))
    }

    /// Sends to a node, if it is connected. One that is not is told everything when it comes.
    pub(crate) fn send(&self, node: &NodeId, message: ToNode) {
        if let ToNode::Run(assignment) = &message {
            let mut assigned = self.assigned();
            let of_node = assigned.entry(node.clone()).or_default();
            of_node.insert(assignment.execution.clone(), Arc::clone(&assignment.spec));
        }
        if let Some(peer) = self.peers().get(node)
            && peer.outbox.put(message).is_err()
        {
            // Its session sees the closed outbox, ends, and reports the node as disconnected.
            tracing::warn!(node = %node, "cut off: it does not keep up with what it is sent");
            peer.outbox.close();
        }
    }

    /// Says this to every connected node.
    pub(crate) fn tell_all(&self, message: &ToNode) {
        let nodes: Vec<NodeId> = self.peers().keys().cloned().collect();
        nodes.iter().for_each(|node| self.send(node, message.clone()));
    }

    /// An execution needs nothing more of what was fetched for it.
    pub(crate) fn ended(&self, node: &NodeId, execution: &ExecutionId) {
        let mut assigned = self.assigned();
        if let Some(of_node) = assigned.get_mut(node) {
            of_node.remove(execution);
            if of_node.is_empty() {
                assigned.remove(node);
            }
        }
    }

    /// A node is back with these executions alone: what else it was told before, it does not have.
    pub(crate) fn holds(&self, node: &NodeId, executions: &[ExecutionId]) {
        // As many as the node says, which may be more than it was ever given.
        let held: BTreeSet<&ExecutionId> = executions.iter().collect();
        let mut assigned = self.assigned();
        if let Some(of_node) = assigned.get_mut(node) {
            of_node.retain(|execution, _| held.contains(execution));
            if of_node.is_empty() {
                assigned.remove(node);
            }
        }
    }

    /// A node needs nothing more of anything.
    pub(crate) fn forget(&self, node: &NodeId) {
        self.assigned().remove(node);
    }

    /// Whether an execution of the node's needs this artifact.
    pub(crate) fn needs(&self, node: &NodeId, wanted: Digest) -> bool {
        let is_it = |source: &Source| matches!(source, Source::Artifact { digest, .. } if *digest == wanted);
        let needs = |spec: &Arc<Spec>| {
            let task = spec.task();
            is_it(&task.program.module) || task.inputs.iter().any(|input| is_it(&input.source))
        };
        self.assigned().get(node).is_some_and(|of_node| of_node.values().any(needs))
    }

    /// Cuts every node off; those that live come back.
    pub(crate) fn cut_all(&self) {
        self.peers().values().for_each(|peer| peer.outbox.close());
    }

    /// Reads from an execution's log on its node.
    pub(crate) async fn read_log(
        &self,
        node: &NodeId,
        execution: &ExecutionId,
        from: u64,
        wait: bool,
        since: Option<Timestamp>,
    ) -> Result<LogChunk, ReadError> {
        let away = || ReadError::NotConnected(node.clone());
        let execution = execution.clone();
        let read = |request| ToNode::ReadLog(ReadLog { request, execution, from, wait, since });
        let answer = self.question(&self.reads, node, |_| true, read).await.ok_or_else(away)?;
        answer.map_err(ReadError::Node)
    }

    /// Asks a connected node something, if it is one that can say. None if it is not, or is gone before it has.
    async fn question<T>(
        &self,
        questions: &Questions<T>,
        node: &NodeId,
        can_say: impl FnOnce(&Peer) -> bool,
        message: impl FnOnce(u64) -> ToNode,
    ) -> Option<T> {
        // Before it is looked for: if it goes in between, that is heard.
        let mut asked = questions.ask(node);
        if !self.peers().get(node).is_some_and(can_say) {
            return None;
        }
        self.send(node, message(asked.request));
        asked.answer().await
    }

    /// Asks a connected node what it would make of a job: the host paths that its guest would have, or the rule that keeps it
    /// off. None if it cannot say, or is gone.
    pub(crate) async fn judge(
        &self,
        node: &NodeId,
        spec: &Arc<Spec>,
    ) -> Option<Result<Vec<Granted>, Refusal>> {
        let judge = |request| ToNode::Judge(Judge { request, spec: Arc::clone(spec) });
        self.question(&self.judgements, node, |peer| peer.info.judges, judge).await
    }

    /// Passes on what a node would make of a job.
    pub(crate) fn judged(&self, node: &NodeId, judgement: Judgement) {
        self.judgements.answer(node, judgement.request, judgement.result);
    }

    /// Passes an answer on to whoever asked; one that nobody waits for any more is dropped.
    pub(crate) fn log_read(&self, node: &NodeId, page: LogPage) {
        self.reads.answer(node, page.request, page.result);
    }

    fn peers(&self) -> MutexGuard<'_, BTreeMap<NodeId, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn assigned(&self) -> MutexGuard<'_, BTreeMap<NodeId, BTreeMap<ExecutionId, Arc<Spec>>>> {
        self.assigned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use skrei_vault::SealingKey;

    use super::*;

    #[test]
    fn a_link_has_one_sealer_from_its_first_secret_on_and_the_next_link_another() {
        let (hub, node) = (Hub::default(), NodeId::new("n-1"));
        let attach = |sealing_key: String| {
            let info = NodeInfo { sealing_key, ..NodeInfo::default() };
            hub.attach(&node, info, String::new(), ([127, 0, 0, 1], 1).into(), Timestamp::default())
        };
        assert!(hub.sealer(&node).is_none(), "it is not connected");
        let key = SealingKey::generate().unwrap().recipient().to_string();
        attach(key.clone());
        let first = hub.sealer(&node).unwrap().unwrap();
        assert!(Arc::ptr_eq(&first, &hub.sealer(&node).unwrap().unwrap()));
        let seat = attach(key);
        let second = hub.sealer(&node).unwrap().unwrap();
        assert!(!Arc::ptr_eq(&first, &second));
        hub.detach(&node, seat.session);
        assert!(hub.sealer(&node).is_none());
        attach("no key".to_owned());
        assert_eq!(hub.sealer(&node).unwrap().unwrap_err(), SealError::NotARecipient);
    }

    #[tokio::test]
    async fn nobody_waits_for_an_answer_from_a_link_that_another_took_the_place_of() {
        let (hub, node) = (Hub::default(), NodeId::new("n-1"));
        let attach = || {
            let address = ([127, 0, 0, 1], 1).into();
            hub.attach(&node, NodeInfo::default(), String::new(), address, Timestamp::default())
        };
        attach();
        let mut asked = hub.reads.ask(&node);
        attach();
        assert!(asked.answer().await.is_none());
    }
}
