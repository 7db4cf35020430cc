//! Going on after a restart.

use std::collections::BTreeMap;

use skrei_job::{
    JobId, Timestamp,
    life::{Execution, ExecutionState},
    spec::Kind,
};

use crate::{
    Config, Connection, Scheduler, Snapshot,
    fleet::Occupant,
    live::{Attempt, Live},
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
            scheduler.fleet.put(node.info, Connection::Away { since: now });
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
            scheduler.put(live);
        }
        scheduler.recall_room(active);
        scheduler.roomy.clear();
        scheduler
    }

    fn recall(&mut self, live: &mut Live, execution: Execution) {
        let owed = execution.state == ExecutionState::Lost;
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
        if live.partitions() > 0 {
            let mut current: Vec<_> = live.current().cloned().collect();
            current.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
            // An attempt that goes on or succeeded is always the last at its partition.
            current.sort_by_key(|execution| !execution.state.is_terminal() || is_completed(execution));
            for execution in current {
                live.tried.entry(execution.partition).or_default().push(execution.id);
            }
        }
        if live.job.state.is_terminal() {
            let at = live.job.modified.after(self.config.late_outcome_window);
            live.forget_at = Some(at);
            self.timers.set(at, Timer::Forget(live.job.id.clone(), live.job.version));
            return;
        }
        self.set_timers(live);
        match live.job.spec.kind() {
            Kind::Ops if live.active == 0 => {
                self.waiting_ops.insert(live.job.id.clone());
            }
            Kind::Batch { count } => {
                for partition in 0..count {
                    let has_one =
                        live.attempts_at(partition).any(|e| !e.state.is_terminal() || is_completed(e));
                    if !has_one {
                        self.wait_again(live, partition);
                    }
                }
            }
            _ => {}
        }
    }

    fn wait_again(&mut self, live: &mut Live, partition: u32) {
        let demand = live.demand_for(partition);
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
