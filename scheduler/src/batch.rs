//! Batch jobs: each of `Count` partitions done once, wherever there is room.

use std::sync::Arc;

use skrei_job::{
    ExecutionId, NodeId,
    life::{ExecutionState, JobState},
};

use crate::{
    Scheduler,
    history::{Details, Topic},
    live::{Live, is_loss},
    ops::not_completed,
    placement::{Demand, grouped, nodes},
};

/// How often one partition may be lost with its node before the job is given up.
const LOSSES_MAX: usize = 1;

/// No known node could ever run this, and the job may not wait for one to appear.
pub(crate) struct NoNode(Arc<Demand>);

impl Scheduler {
    pub(crate) fn begin_batch(&mut self, live: &mut Live) {
        let count = live.partitions();
        if count == 0 {
            self.finish(live, JobState::Completed, "nothing to do: `Count` is 0".to_owned(), None);
            return;
        }
        for partition in 0..count {
            if let Err(no_node) = self.want(live, partition) {
                self.no_node(live, &no_node);
                return;
            }
        }
        self.is_running(live);
        let Some(demand) = live.waiting.values().next().cloned() else { return };
        let why = self.queue.get(&demand).map(|line| line.why.clone()).unwrap_or_default();
        if live.active == 0 {
            self.is_queued(live, why);
        } else {
            let message = format!("{} of {count} partitions wait: {why}", live.waiting.len());
            self.note(live, None, Topic::Queueing, message, Details::new());
        }
    }

    /// Places a partition, or puts it in line.
    pub(crate) fn want(&mut self, live: &mut Live, partition: u32) -> Result<(), NoNode> {
        let demand = live.demand_for(partition);
        let ticket = live.ticket(partition);
        // If somebody ahead waits with the same demand then no node can take it now.
        if self.queue.first(&demand).is_none_or(|first| ticket < *first)
            && let Some(node) = self.find_room(&demand, &ticket)
        {
            self.assign(live, &node, partition);
            return Ok(());
        }
        if self.queue.join(&demand, ticket) {
            self.open_line(&demand);
        }
        live.waiting.insert(partition, demand.clone());
        let hopeless = self.queue.get(&demand).is_some_and(|line| line.possible.is_none());
        if hopeless && !live.may_wait_for_nodes(self.now) { Err(NoNode(demand)) } else { Ok(()) }
    }

    pub(crate) fn no_node(&mut self, live: &mut Live, NoNode(demand): &NoNode) {
        let message = self.why_no_node(live, Some(demand));
        self.finish(live, JobState::Failed, message, Some(Topic::Scheduling));
    }

    /// Puts a partition to work again that an attempt did not complete.
    fn want_again(&mut self, live: &mut Live, partition: u32) {
        match self.want(live, partition) {
            Err(no_node) => self.no_node(live, &no_node),
            Ok(()) => {
                if let Some(demand) = live.waiting.get(&partition) {
                    let why = self.queue.get(demand).map(|line| line.why.clone()).unwrap_or_default();
                    let message = format!("partition {partition} waits: {why}");
                    self.note(live, None, Topic::Queueing, message, Details::new());
                }
            }
        }
    }

    /// Goes on after an attempt of the current version has ended.
    pub(crate) fn continue_batch(&mut self, live: &mut Live, id: &ExecutionId) {
        let Some(execution) = live.execution(id).cloned() else { return };
        let partition = execution.partition;
        match &execution.state {
            ExecutionState::Assigned | ExecutionState::Running => {}
            ExecutionState::Completed(_) => {
                live.completed += 1;
                if live.completed == live.partitions() {
                    self.finish(live, JobState::Completed, String::new(), None);
                }
            }
            ExecutionState::Refused(_) => {
                let mut excluded = live.demand.excluded.clone();
                excluded.insert(execution.node.clone());
                live.demand = Arc::new(live.demand.excluding(excluded));
                self.want_again(live, partition);
                self.move_waiting(live);
            }
            state if is_loss(state) && live.losses(partition) <= LOSSES_MAX => {
                self.want_again(live, partition)
            }
            state => {
                let why = not_completed(state).unwrap_or_default();
                let place = if live.partitions() == 1 {
                    format!("failed on {}", execution.node.short())
                } else {
                    format!("partition {partition} failed on {}", execution.node.short())
                };
                self.finish(live, JobState::Failed, format!("{place}: {why}"), Some(Topic::Execution));
            }
        }
    }

    /// Lets the waiting partitions of a job wait for what the job asks since another node refused it.
    fn move_waiting(&mut self, live: &mut Live) {
        let partitions: Vec<u32> = live.waiting.keys().copied().collect();
        for partition in partitions {
            if live.waiting.get(&partition).is_none_or(|demand| *demand == live.demand_for(partition)) {
                continue;
            }
            self.stop_waiting(live, partition);
            if let Err(no_node) = self.want(live, partition) {
                self.no_node(live, &no_node);
                return;
            }
        }
    }

    /// Says per node, grouped, why a job cannot run anywhere.
    pub(crate) fn why_no_node(&self, live: &Live, demand: Option<&Demand>) -> String {
        let demand = demand.unwrap_or(&live.demand);
        let ended: std::collections::BTreeMap<_, _> = live
            .current()
            .filter_map(|execution| Some((&execution.node, not_completed(&execution.state)?)))
            .collect();
        let reasons: Vec<(&NodeId, String)> = self
            .fleet
            .iter()
            .map(|member| {
                let node = &member.node.info.id;
                match ended.get(node) {
                    Some(why) if demand.excluded.contains(node) => (node, why.clone()),
                    _ => (node, self.why_not(demand, member)),
                }
            })
            .collect();
        if reasons.is_empty() {
            return "no node can run this job: no node is known".to_owned();
        }
        format!("no node can run this job: {}", grouped(reasons))
    }

    /// Says per node, grouped, why something has to wait.
    pub(crate) fn why_wait(&self, demand: &Demand) -> String {
        if self.fleet.iter().next().is_none() {
            return format!("waiting for a node ({} known)", nodes(0));
        }
        let reasons = self.fleet.iter().map(|member| (&member.node.info.id, self.why_not(demand, member)));
        format!("waiting for room: {}", grouped(reasons))
    }
}
