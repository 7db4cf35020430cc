//! Questions to nodes that wait for their answers.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use skrei_job::NodeId;
use tokio::sync::oneshot;

/// Who waits for which answer. Whoever goes away waits no longer.
#[derive(Debug)]
pub(super) struct Questions<T> {
    open: Mutex<BTreeMap<u64, (NodeId, oneshot::Sender<T>)>>,
    next: AtomicU64,
}

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Self { open: Mutex::default(), next: AtomicU64::new(0) }
    }
}

/// A question, as long as somebody waits for its answer.
pub(super) struct Asked<'a, T> {
    questions: &'a Questions<T>,
    /// What the node repeats in its answer.
    pub(super) request: u64,
    answer: oneshot::Receiver<T>,
}

impl<T> Questions<T> {
    /// Begins to wait for an answer of this node.
    pub(super) fn ask(&self, node: &NodeId) -> Asked<'_, T> {
        let request = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.open().insert(request, (node.clone(), reply));
        Asked { questions: self, request, answer }
    }

    /// Passes an answer on. A node may answer only what it was asked; what nobody waits for any more is dropped.
    pub(super) fn answer(&self, node: &NodeId, request: u64, answer: T) {
        let mut open = self.open();
        if open.get(&request).is_some_and(|(asked, _)| asked == node)
            && let Some((_, reply)) = open.remove(&request)
        {
            // Whoever asked may just be going away.
            let _ = reply.send(answer);
        }
    }

    /// The node is gone: nobody waits for it any longer.
    pub(super) fn gone(&self, node: &NodeId) {
        self.open().retain(|_, (asked, _)| asked != node);
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, (NodeId, oneshot::Sender<T>)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Asked<'_, T> {
    /// The answer; none if the node is gone.
    pub(super) async fn answer(&mut self) -> Option<T> {
        (&mut self.answer).await.ok()
    }
}

impl<T> Drop for Asked<'_, T> {
    fn drop(&mut self) {
        self.questions.open().remove(&self.request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_node_that_was_asked_answers_and_nobody_waits_for_one_that_is_gone() {
        let questions = Questions::default();
        let (a, b) = (NodeId::new("a"), NodeId::new("b"));
        let mut asked = questions.ask(&a);
        questions.answer(&b, asked.request, "forged");
        questions.answer(&a, asked.request, "true");
        assert_eq!(asked.answer().await, Some("true"));
        let mut asked = questions.ask(&a);
        questions.gone(&b);
        questions.gone(&a);
        assert_eq!(asked.answer().await, None);
        drop(questions.ask(&a));
        assert!(questions.open().is_empty(), "who goes away waits no longer");
    }
}
