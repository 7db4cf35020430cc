//! What guests say of how far they are: checked against what the scheduler knows, and put up for followers.

use skrei_job::NodeId;
use skrei_protocol::link::Told;
use skrei_scheduler::Event;

use super::EventLoop;
use crate::told::Word;

/// News of one message that are looked at: as many as a node sends at once.
const NEWS_MAX: usize = 256;

impl EventLoop {
    /// A node speaks for executions of its own that have not ended, and for no others.
    pub(super) fn told(&self, node: &NodeId, news: Vec<Told>) {
        for Told { execution: id, progress } in news.into_iter().take(NEWS_MAX) {
            let known = self.scheduler.execution(&id);
            if let Some(execution) = known.filter(|known| known.node == *node && !known.state.is_terminal()) {
                let word = Word { node: node.clone(), progress: progress.sound() };
                self.hub.told.put(&execution.job, &id, word);
            }
        }
    }

    /// Who has ended says nothing more, and what a node that is gone said last is no news.
    pub(super) fn forget_told(&self, event: &Event) {
        match event {
            Event::ExecutionEnded { execution: id, node, .. } => {
                if let Some(execution) = self.scheduler.execution(id).filter(|known| known.node == *node) {
                    self.hub.told.forget(&execution.job, id);
                }
            }
            Event::NodeDisconnected { node } => self.hub.told.forget_node(node),
            _ => {}
        }
    }
}
