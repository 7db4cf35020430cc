//! What waits to be sent to one node.
//!
//! An idle one takes a few dozen bytes, where a channel of the runtime has room for its first messages: there is one for
//! each of ten thousand links.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use skrei_protocol::link::ToNode;
use tokio::sync::Notify;

/// Messages that may wait for one node. A node that lets more pile up is cut off; it comes back and is told anew.
const MESSAGES_MAX: usize = 4096;

/// Room that is kept for messages to come once all have been sent.
const ROOM_KEPT: usize = 16;

/// Messages for one node, in order, for the session that sends them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    messages: VecDeque<ToNode>,
    /// The last report of the node's that is on disk.
    acknowledged: u64,
    /// The last that the node was told of.
    told: u64,
    is_closed: bool,
}

/// More waits than may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Outbox {
    /// Puts a message behind the others; one that is closed forgets it.
    pub(crate) fn put(&self, message: ToNode) -> Result<(), Full> {
        let mut waiting = self.waiting();
        if waiting.is_closed {
            return Ok(());
        }
        if waiting.messages.len() == MESSAGES_MAX {
            return Err(Full);
        }
        waiting.messages.push_back(message);
        drop(waiting);
        self.news.notify_one();
        Ok(())
    }

    /// The node is to hear that its reports up to this number are on disk; of several numbers only the last is said.
    pub(crate) fn acknowledge(&self, number: u64) {
        self.waiting().acknowledged = number;
        self.news.notify_one();
    }

    /// The last of its reports that is on disk.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.waiting().acknowledged
    }

    /// Takes nothing more: whoever empties it comes to its end.
    pub(crate) fn close(&self) {
        self.waiting().is_closed = true;
        self.news.notify_one();
    }

    /// What is to be said next, if there is something.
    pub(crate) fn take(&self) -> Option<ToNode> {
        let mut waiting = self.waiting();
        if waiting.told != waiting.acknowledged {
            waiting.told = waiting.acknowledged;
            return Some(ToNode::Acknowledge { number: waiting.told });
        }
        let message = waiting.messages.pop_front();
        if waiting.messages.is_empty() {
            waiting.messages.shrink_to(ROOM_KEPT);
        }
        message
    }

    /// Waits for what is to be said next; none once it is closed and empty. For one session at a time.
    pub(crate) async fn next(&self) -> Option<ToNode> {
        loop {
            if let Some(message) = self.take() {
                return Some(message);
            }
            if self.waiting().is_closed {
                return None;
            }
            self.news.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(messages: Vec<ToNode>) -> Vec<u64> {
        let number = |message: ToNode| match message {
            ToNode::Acknowledge { number } => number,
            other => panic!("{other:?}"),
        };
        messages.into_iter().map(number).collect()
    }

    #[tokio::test]
    async fn what_waits_is_said_in_order_and_a_closed_one_comes_to_its_end() {
        let outbox = Outbox::default();
        outbox.put(ToNode::Renew).unwrap();
        outbox.acknowledge(3);
        outbox.acknowledge(4);
        assert_eq!(numbers(vec![outbox.next().await.unwrap()]), [4], "the last number says it all");
        outbox.close();
        outbox.put(ToNode::Renew).unwrap();
        assert!(matches!(outbox.next().await, Some(ToNode::Renew)), "what waited before is still said");
        assert!(outbox.next().await.is_none());
        assert_eq!(outbox.acknowledged(), 4);
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_it_and_more_than_may_wait_is_refused() {
        let outbox = std::sync::Arc::new(Outbox::default());
        let waits = tokio::spawn({
            let outbox = std::sync::Arc::clone(&outbox);
            async move { outbox.next().await }
        });
        tokio::task::yield_now().await;
        outbox.put(ToNode::Renew).unwrap();
        assert!(matches!(waits.await.unwrap(), Some(ToNode::Renew)));
        for _ in 0..MESSAGES_MAX {
            outbox.put(ToNode::Renew).unwrap();
        }
        assert_eq!(outbox.put(ToNode::Renew), Err(Full));
    }
}
