//! What people decide about nodes: who may take part, who gets nothing new, who is emptied, and what they are called.

use skrei_job::{ExecutionId, NodeId, spec::Kind};

use crate::{Membership, NodeOrder, Scheduler, timers::Timer};

/// Why a node that is emptied gives its work away.
const DRAINED: &str = "is being drained";

impl Scheduler {
    pub(crate) fn node_ordered(&mut self, node: &NodeId, order: &NodeOrder) {
        let Some(mut known) = self.fleet.get(node).map(|member| member.node.clone()) else { return };
        let said = known.orders.undress(known.info.labels);
        let drain_before = known.orders.drain;
        match order {
            NodeOrder::Approve => known.info.membership = Membership::Approved,
            NodeOrder::Reject => known.info.membership = Membership::Rejected,
            NodeOrder::Cordon => known.orders.cordoned = true,
            NodeOrder::Uncordon => (known.orders.cordoned, known.orders.drain) = (false, None),
            NodeOrder::Drain { until } => (known.orders.cordoned, known.orders.drain) = (true, Some(*until)),
            NodeOrder::Label(labels) => {
                for (name, value) in labels {
                    match value {
                        Some(value) => known.orders.labels.insert(name.clone(), value.clone()),
                        None => known.orders.labels.remove(name),
                    };
                }
            }
        }
        known.info.labels = known.orders.dress(said);
        let drain = known.orders.drain;
        if !self.fleet.put(known) {
            return;
        }
        self.record_node(node);
        if let Some(before) = drain_before.filter(|_| drain != drain_before) {
            self.timers.clear(before, Timer::Drain(node.clone()));
        }
        match order {
            NodeOrder::Reject => self.give_away(node, "was rejected", |_| true),
            NodeOrder::Drain { until } => {
                self.timers.set(*until, Timer::Drain(node.clone()));
                self.give_away(node, DRAINED, |kind| matches!(kind, Kind::Service { .. }));
                self.empty(node);
            }
            _ => {}
        }
        self.reconsider(node);
    }

    /// Goes on emptying a node, if that was decided: daemons stay as long as something else does, and nothing stays
    /// beyond the deadline.
    pub(crate) fn empty(&mut self, node: &NodeId) {
        let Some(until) = self.fleet.get(node).and_then(|member| member.node.orders.drain) else { return };
        let is_daemon = |scheduler: &Self, id: &ExecutionId| scheduler.kind_of(id) == Some(Kind::Daemon);
        if until <= self.now || self.running_on(node).iter().all(|id| is_daemon(self, id)) {
            self.give_away(node, DRAINED, |_| true);
        }
    }

    /// Gives what a node has of these kinds to others: what it runs it is told to stop, if it can be told, and what was
    /// held back for it is not sent any more. The room is free once the node says that it has stopped.
    fn give_away(&mut self, node: &NodeId, why: &str, concerns: impl Fn(Kind) -> bool) {
        let held: Vec<ExecutionId> = match self.fleet.get(node) {
            Some(member) => member.held.iter().map(|(id, _)| id.clone()).collect(),
            None => return,
        };
        for id in held {
            self.fleet.unhold(node, &id);
            self.lose(&id, false, why);
        }
        for id in self.running_on(node) {
            if self.kind_of(&id).is_some_and(&concerns) {
                self.send_cancel(node, &id, &format!("its node {why}"));
                self.lose(&id, true, why);
            }
        }
    }

    /// What a node was told to run, and has not ended.
    fn running_on(&self, node: &NodeId) -> Vec<ExecutionId> {
        let Some(member) = self.fleet.get(node) else { return Vec::new() };
        let is_live =
            |id: &&ExecutionId| self.execution(id).is_some_and(|execution| !execution.state.is_terminal());
        member.occupants.keys().filter(is_live).cloned().collect()
    }

    fn kind_of(&self, execution: &ExecutionId) -> Option<Kind> {
        Some(self.jobs.get(self.executions.get(execution)?)?.job.spec.kind())
    }
}
