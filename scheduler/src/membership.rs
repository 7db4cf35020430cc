//! Nodes that come, go, change and fall silent. What people decide about them is in `governance`.

use std::collections::BTreeSet;

use skrei_job::{ExecutionId, JobId, NodeId, Timestamp, life::ExecutionState, life::JobState};

use crate::{
    Connection, Node, NodeInfo, Orders, Record, Scheduler, fleet::Occupant, history::Topic,
    submission::state_details, timers::Timer,
};

/// What a node that came back should do about one execution.
enum Told {
    /// Run it, or go on running it.
    Run(JobId),
    /// Go on; how it ends is still of interest, though it was given up.
    GoOn,
    /// Stop.
    Cancel(String),
}

impl Scheduler {
    /// Tells the node again all it should run and what it should not; saying it twice does no harm.
    pub(crate) fn node_connected(&mut self, mut info: NodeInfo, holds: &[ExecutionId]) {
        let node = info.id.clone();
        let mut orders = Orders::default();
        if let Some(member) = self.fleet.get(&node) {
            info.membership = member.node.info.membership;
            orders = member.node.orders.clone();
        }
        info.labels = orders.dress(info.labels);
        self.stop_grace(&node);
        // If it does not do well it says so next.
        if self.fleet.put(Node { info, connection: Connection::Connected, orders, unwell: None }) {
            self.record_node(&node);
        }
        let holds: BTreeSet<_> = holds.iter().cloned().collect();
        let expected: BTreeSet<ExecutionId> = match self.fleet.get(&node) {
            Some(member) => member.occupants.keys().cloned().collect(),
            None => BTreeSet::new(),
        };
        for id in expected.union(&holds) {
            match self.told(id, &node) {
                Told::Run(job) => {
                    self.runs_after_all(&node, id);
                    self.send_run(&node, id, &job);
                }
                Told::GoOn => {
                    self.keep_room(id, &node);
                    if holds.contains(id) {
                        self.revive(id, &node);
                    }
                }
                Told::Cancel(reason) => {
                    self.send_cancel(&node, id, &reason);
                    if holds.contains(id) {
                        self.keep_room(id, &node);
                    } else {
                        // It may have ended while nobody heard of it: the node answers with how, or that it never was there.
                        self.release(&node, id);
                    }
                }
            }
        }
        self.reconsider(&node);
    }

    fn told(&self, id: &ExecutionId, node: &NodeId) -> Told {
        let known = self.executions.get(id).and_then(|job| self.jobs.get(job));
        let Some((live, execution)) = known
            .and_then(|live| Some((live, live.execution(id)?)))
            .filter(|(_, execution)| execution.node == *node)
        else {
            return Told::Cancel("its job is over".to_owned());
        };
        match &execution.state {
            ExecutionState::Assigned | ExecutionState::Running => Told::Run(live.job.id.clone()),
            ExecutionState::Cancelled { reason } => Told::Cancel(reason.clone()),
            ExecutionState::Lost if live.is_replaced(execution) => {
                Told::Cancel("replaced by another attempt".to_owned())
            }
            ExecutionState::Lost
                if self.fleet.get(node).is_some_and(|member| member.is_given_up(self.now)) =>
            {
                Told::Cancel("its node was given up".to_owned())
            }
            ExecutionState::Lost if live.is_current(execution) && live.job.state != JobState::Stopped => {
                Told::GoOn
            }
            _ => Told::Cancel("its job is over".to_owned()),
        }
    }

    /// A lost execution that its node still has goes on, and its job with it.
    fn revive(&mut self, id: &ExecutionId, node: &NodeId) {
        let Some(mut live) = self.executions.get(id).cloned().and_then(|job| self.take(&job)) else { return };
        let lost = live.execution(id).cloned().filter(|execution| execution.state == ExecutionState::Lost);
        if let Some(execution) = lost.filter(|_| !live.job.state.is_terminal()) {
            if let Some(attempt) = live.attempts.get_mut(id).filter(|attempt| attempt.owed) {
                attempt.owed = false;
                live.owed -= 1;
            }
            self.change_execution(&mut live, id, ExecutionState::Running);
            let message = format!("Goes on: {} is back and still has it", node.short());
            let details = state_details(node, &ExecutionState::Running);
            self.note(&mut live, Some(id), Topic::Execution, message, details);
            self.stop_trying(&mut live, &execution);
            let slot = live.slot_of(&execution);
            live.failed.remove(&slot);
            if !live.job.spec.kind().is_kept_running() {
                live.under_way.insert(slot);
            }
        }
        self.put(live);
    }

    /// What was given up but still runs there takes room until the node says that it has ended.
    fn keep_room(&mut self, id: &ExecutionId, node: &NodeId) {
        let live = self.executions.get(id).and_then(|job| self.jobs.get(job));
        let Some((live, attempt)) = live.and_then(|live| Some((live, live.attempts.get(id)?))) else {
            return;
        };
        if attempt.owed && attempt.execution.node == *node {
            let occupant = Occupant { job: live.job.id.clone(), resources: attempt.resources };
            self.fleet.occupy(node, id, &occupant);
        }
    }

    pub(crate) fn node_changed(&mut self, mut info: NodeInfo) {
        let node = info.id.clone();
        let Some(known) = self.fleet.get(&node).map(|member| member.node.clone()) else { return };
        let Node { connection, mut orders, unwell, .. } = known;
        info.labels = orders.dress(info.labels);
        if self.fleet.put(Node { info, connection, orders, unwell }) {
            self.record_node(&node);
            self.reconsider(&node);
        }
    }

    /// What a node has goes on while it does not do well; it gets nothing new.
    pub(crate) fn node_health(&mut self, node: &NodeId, unwell: Option<String>) {
        let Some(member) = self.fleet.get(node).filter(|member| member.is_connected()) else { return };
        let changed = Node { unwell, ..member.node.clone() };
        if self.fleet.put(changed) {
            self.record_node(node);
            self.reconsider(node);
        }
    }

    pub(crate) fn node_disconnected(&mut self, node: &NodeId) {
        if self.fleet.get(node).is_some_and(|member| member.is_connected()) {
            self.start_grace(node);
            self.record_node(node);
            self.reconsider(node);
        }
    }

    pub(crate) fn node_forgotten(&mut self, node: &NodeId) {
        if self.fleet.get(node).is_none() {
            return;
        }
        self.stop_grace(node);
        if let Some(until) = self.fleet.get(node).and_then(|member| member.node.orders.drain) {
            self.timers.clear(until, Timer::Drain(node.clone()));
        }
        self.fleet.connection(node, Connection::Lost { since: self.now });
        self.lose_work(node, "was deleted");
        self.expect_nothing_of(node);
        self.decision.records.push(Record::NodeForgotten(node.clone()));
        // While it still has its entry, so that a line it was set aside for finds another.
        self.reconsider(node);
        self.fleet.remove(node);
        self.roomy.remove(node);
        self.forget_target(node);
    }

    /// Whoever gets the name of a node that somebody removed is another: what jobs that have ended wait to hear of it nobody
    /// will say.
    fn expect_nothing_of(&mut self, node: &NodeId) {
        let waiting = self.jobs.values().filter(|live| live.job.state.is_terminal() && live.owed > 0);
        let ended: Vec<JobId> = waiting.map(|live| live.job.id.clone()).collect();
        for job in ended {
            let Some(mut live) = self.take(&job) else { continue };
            live.write_off(node);
            self.put(live);
        }
    }

    /// The grace of a silent node has ended.
    pub(crate) fn lose_node(&mut self, node: &NodeId) {
        let Some(Connection::Away { since }) = self.fleet.get(node).map(|member| member.node.connection)
        else {
            return;
        };
        self.fleet.connection(node, Connection::Lost { since });
        self.record_node(node);
        self.lose_work(node, "was not heard from for too long");
        self.reconsider(node);
    }

    fn lose_work(&mut self, node: &NodeId, why: &str) {
        let held: BTreeSet<ExecutionId> = match self.fleet.get(node) {
            Some(member) => member.held.iter().map(|(id, _)| id.clone()).collect(),
            None => return,
        };
        for id in self.fleet.clear(node) {
            self.lose(&id, !held.contains(&id), why);
        }
    }

    pub(crate) fn start_grace(&mut self, node: &NodeId) {
        self.fleet.connection(node, Connection::Away { since: self.now });
        self.timers.set(self.grace_end(self.now), Timer::Silence(node.clone()));
    }

    fn stop_grace(&mut self, node: &NodeId) {
        if let Some(Connection::Away { since }) = self.fleet.get(node).map(|member| member.node.connection) {
            self.timers.clear(self.grace_end(since), Timer::Silence(node.clone()));
        }
    }

    fn grace_end(&self, since: Timestamp) -> Timestamp {
        since.after(self.config.disconnect_timeout)
    }

    pub(crate) fn record_node(&mut self, node: &NodeId) {
        if let Some(member) = self.fleet.get(node) {
            self.decision.records.push(Record::NodeChanged(member.node.clone()));
        }
    }
}
