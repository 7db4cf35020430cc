//! Going on after a restart.

use std::collections::BTreeMap;

use skrei_job::{
    JobId, NodeId, Timestamp,
    life::{Execution, ExecutionState},
};

use crate::{
    Config, Connection, Node, Phase, Scheduler, Snapshot,
    fleet::Occupant,
    live::{Attempt, Live},
    retry::Next,
    slot::Slot,
    timers::Timer,
};

impl Scheduler {
    /// A scheduler that goes on where the records end.
    ///
    /// No node is connected yet. Each has a whole grace to come back in, whenever it was heard from last:
    /// a silence that nobody listened to counts for nothing.
    pub fn restore(config: Config, snapshot: Snapshot, now: Timestamp) -> Self {
        let mut scheduler = Self::new(config);
        scheduler.now = now;
        for node in snapshot.nodes {
            let id = node.info.id.clone();
            if let Some(until) = node.orders.drain {
                scheduler.timers.set(until, Timer::Drain(id.clone()));
            }
            scheduler.fleet.put(Node { connection: Connection::Away { since: now }, ..node });
            scheduler.start_grace(&id);
        }
        let mut executions = BTreeMap::<JobId, Vec<Execution>>::new();
        for execution in snapshot.executions {
            scheduler.fleet.saw_created(&execution.node, execution.created);
            executions.entry(execution.job.clone()).or_default().push(execution);
        }
        let mut active = Vec::new();
        for job in snapshot.jobs {
            let mut live = Box::new(Live::new(job));
            for execution in executions.remove(&live.job.id).unwrap_or_default() {
                if !execution.state.is_terminal() {
                    let (job, resources) = (live.job.id.clone(), live.demand.resources);
                    active.push((execution.clone(), Occupant { job, resources }));
                }
                scheduler.recall(&mut live, execution);
            }
            scheduler.go_on_waiting(&mut live);
            if live.may_be_over() {
                scheduler.timers.set(now, Timer::Conclude(live.job.id.clone(), live.job.version));
            }
            scheduler.put(live);
        }
        scheduler.recall_room(active);
        scheduler.roomy.clear();
        scheduler
    }

    fn recall(&mut self, live: &mut Live, execution: Execution) {
        // Of a node that is not known any more, whoever would want to know of it has ended.
        let may_be_heard = self.fleet.get(&execution.node).is_some() || !live.job.state.is_terminal();
        let owed = execution.state == ExecutionState::Lost && may_be_heard;
        if live.is_current(&execution) {
            match &execution.state {
                ExecutionState::Assigned | ExecutionState::Running => live.active += 1,
                ExecutionState::Completed(_) => live.completed += 1,
                ExecutionState::Refused(_) if live.partitions() > 0 => {
                    let mut excluded = live.demand.excluded.clone();
                    excluded.insert(execution.node.clone());
                    live.demand = live.demand.excluding(excluded).into();
                }
                _ => {}
            }
        } else if !owed {
            return;
        }
        // What an earlier version asked is not known any more; it was probably the same.
        let resources = live.demand.resources;
        live.owed += usize::from(owed);
        self.executions.insert(execution.id.clone(), live.job.id.clone());
        live.attempts.insert(execution.id.clone(), Attempt { execution, owed, resources });
    }

    /// Brings back the order of attempts, the queues and the timers.
    fn go_on_waiting(&mut self, live: &mut Live) {
        let mut current: Vec<_> = live.current().cloned().collect();
        // Attempts that an older version of this program numbered alike are told apart by what became of them.
        let order =
            |e: &Execution| (e.attempt, !e.state.is_terminal() || is_completed(e), e.created, e.id.clone());
        current.sort_by_key(order);
        for execution in current {
            live.tried.entry(live.slot_of(&execution)).or_default().push(execution.id);
        }
        if live.job.state.is_terminal() {
            let at = live.job.modified.after(self.config.late_outcome_window);
            live.forget_at = Some(at);
            self.timers.set(at, Timer::Forget(live.job.id.clone(), live.job.version));
            return;
        }
        self.set_timers(live);
        if let Phase::Pause { until } = live.job.progress.phase {
            self.timers.set(until, Timer::Pause(live.job.id.clone(), live.job.version));
        }
        let slots: Vec<Slot> = live.tried.keys().cloned().collect();
        for slot in &slots {
            self.recall_slot(live, slot);
        }
        if live.job.spec.kind().is_counted() {
            self.recall_partitions(live);
        } else {
            self.recall_nodes(live);
        }
    }

    fn recall_slot(&mut self, live: &mut Live, slot: &Slot) {
        let Some(last) = live.last_at(slot).cloned() else { return };
        if !last.state.is_terminal() {
            if last.state == ExecutionState::Assigned || !live.job.spec.kind().is_kept_running() {
                live.under_way.insert(slot.clone());
            }
            return;
        }
        let next = live.next(slot, &last);
        match next {
            Next::Again(_) if !live.job.spec.kind().is_kept_running() => {
                live.under_way.insert(slot.clone());
            }
            Next::WhenBack | Next::Over if !live.job.spec.kind().is_counted() => {
                live.failed.insert(slot.clone());
            }
            _ => {}
        }
        if let Slot::Node(node) = slot
            && self.fleet.get(node).is_none()
        {
            // Somebody removed it, and it will not be back: how the last attempt ended there is how it ends.
            live.under_way.remove(slot);
            if next != Next::Done {
                live.failed.insert(slot.clone());
            }
            return;
        }
        match next {
            Next::Done => {}
            Next::Again(wait) if !wait.is_zero() => {
                self.wait_for_again(live, slot, last.modified.after(wait))
            }
            Next::Over if !live.job.spec.kind().is_counted() => {}
            Next::Again(_) | Next::WhenBack | Next::Elsewhere | Next::Over => match slot {
                Slot::Node(node) => {
                    live.absent.insert(node.clone());
                }
                Slot::Partition(partition) => self.wait_again(live, *partition),
            },
        }
    }

    fn recall_partitions(&mut self, live: &mut Live) {
        for partition in live.wanted_partitions().collect::<Vec<_>>() {
            let slot = Slot::Partition(partition);
            if live.tried.contains_key(&slot) {
                continue;
            }
            if live.job.spec.rollout().is_gradual() {
                self.make_due(live, slot);
            } else {
                self.wait_again(live, partition);
            }
        }
    }

    /// No node is there yet; each gets its turn when it is.
    fn recall_nodes(&mut self, live: &mut Live) {
        let known = |node: &NodeId| self.fleet.get(node).is_some();
        let waiting: Vec<NodeId> =
            live.job.progress.waiting.iter().filter(|node| known(node)).cloned().collect();
        let untried = |node: &NodeId| !live.tried.contains_key(&Slot::Node(node.clone()));
        let absent: Vec<NodeId> = waiting
            .into_iter()
            .filter(|node| untried(node) && !live.job.progress.missed.contains_key(node))
            .collect();
        live.absent.extend(absent);
        self.watch(live);
    }

    fn wait_again(&mut self, live: &mut Live, partition: u32) {
        let demand = live.demand.clone();
        if self.queue.join(&demand, live.ticket(partition)) {
            self.open_line(&demand);
        }
        if self.queue.get(&demand).is_some_and(|line| line.possible.is_none()) {
            self.doubtful.insert(demand.clone());
        }
        live.waiting.insert(partition, demand);
    }

    /// Counts again what is in use on each node. What a node was given and what is held for it are told apart
    /// by the rule that decided it: a node starts its work in the order it was assigned.
    fn recall_room(&mut self, mut active: Vec<(Execution, Occupant)>) {
        active.sort_by(|(a, _), (b, _)| {
            let order = |e: &Execution| (e.state != ExecutionState::Running, e.created, e.id.clone());
            order(a).cmp(&order(b))
        });
        for (execution, occupant) in active {
            let (node, id) = (&execution.node, &execution.id);
            let room = self.fleet.get(node).is_some_and(|member| member.has_room(&occupant.resources));
            if room || execution.state == ExecutionState::Running {
                self.fleet.occupy(node, id, &occupant);
            } else {
                self.fleet.hold(node, id.clone(), occupant);
            }
        }
    }
}

fn is_completed(execution: &Execution) -> bool {
    matches!(execution.state, ExecutionState::Completed(_))
}
