//! Jobs of so many parts: the partitions of a `batch` job are each done once, those of a `service` kept running,
//! wherever there is room.

use std::sync::Arc;

use skrei_job::{NodeId, life::JobState, spec::Kind};

use crate::{
    Scheduler,
    fanout::not_completed,
    history::{Details, Topic},
    live::Live,
    placement::{Demand, grouped, nodes},
    retry::Next,
    slot::Slot,
};

/// No known node could ever run this, and the job may not wait for one to appear.
pub(crate) struct NoNode(Arc<Demand>);

impl Scheduler {
    pub(crate) fn begin_counted(&mut self, live: &mut Live) {
        let is_service = live.job.spec.kind().is_kept_running();
        let wanted: Vec<u32> = live.wanted_partitions().collect();
        if wanted.is_empty() {
            let why = if live.partitions() == 0 { "`Count` is 0" } else { "it has none of what is left" };
            if is_service {
                return self.is_queued(live, format!("nothing to run: {why}"));
            }
            return self.finish(live, JobState::Completed, format!("nothing to do: {why}"), None);
        }
        if live.job.spec.rollout().is_gradual() {
            if self.fleet.possible(&live.demand).is_none() && !live.may_wait_for_nodes(self.now) {
                return self.no_node(live, &NoNode(live.demand.clone()));
            }
            wanted.into_iter().for_each(|partition| self.make_due(live, Slot::Partition(partition)));
            if live.job.spec.rollout().canary > 0 {
                live.job.progress.phase = crate::Phase::Canary;
            }
            self.begin_steps(live);
            return self.say_what_waits(live);
        }
        for partition in wanted {
            if let Err(no_node) = self.want(live, partition) {
                self.no_node(live, &no_node);
                return;
            }
        }
        self.is_running(live);
        self.say_what_waits(live);
    }

    fn say_what_waits(&mut self, live: &mut Live) {
        let Some(demand) = live.waiting.values().next().cloned() else { return };
        let why = self.queue.get(&demand).map(|line| line.why.clone()).unwrap_or_default();
        if live.active == 0 {
            self.is_queued(live, why);
        } else {
            let message = format!("{} of {} partitions wait: {why}", live.waiting.len(), live.partitions());
            self.note(live, None, Topic::Queueing, message, Details::new());
        }
    }

    /// Places a partition, or puts it in line.
    pub(crate) fn want(&mut self, live: &mut Live, partition: u32) -> Result<(), NoNode> {
        let demand = live.demand.clone();
        let ticket = live.ticket(partition);
        // If somebody ahead waits with the same demand then no node can take it now.
        if self.queue.first(&demand).is_none_or(|first| ticket < *first)
            && let Some(node) = self.find_room(live, &demand, &ticket)
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
    pub(crate) fn want_again(&mut self, live: &mut Live, partition: u32) {
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
    pub(crate) fn continue_counted(&mut self, live: &mut Live, slot: &Slot, next: Next) {
        let partition = slot.partition();
        let is_service = live.job.spec.kind().is_kept_running();
        match next {
            Next::Done => {
                live.completed += 1;
                if live.completed as usize == live.wanted_partitions().count() {
                    self.finish(live, JobState::Completed, String::new(), None);
                }
            }
            Next::Elsewhere | Next::WhenBack => {
                if let Some(node) = live.last_at(slot).map(|last| last.node.clone()) {
                    let mut excluded = live.demand.excluded.clone();
                    excluded.insert(node);
                    live.demand = Arc::new(live.demand.excluding(excluded));
                }
                self.want_again(live, partition);
                self.move_waiting(live);
            }
            Next::Again(wait) => {
                if is_service {
                    self.settle_slot(live, slot, false);
                }
                if wait.is_zero() {
                    self.want_again(live, partition);
                } else {
                    self.wait_for_again(live, slot, self.now.after(wait));
                }
            }
            Next::Over => self.fail_partition(live, slot),
        }
        if is_service {
            self.advance(live);
        }
    }

    fn fail_partition(&mut self, live: &mut Live, slot: &Slot) {
        let Some(last) = live.last_at(slot) else { return };
        let why = not_completed(&last.state).unwrap_or_default();
        let node = last.node.short();
        let is_one = matches!(live.job.spec.kind(), Kind::Batch { count: 1 } | Kind::Service { count: 1 });
        let place = if is_one {
            format!("failed on {node}")
        } else {
            format!("partition {} failed on {node}", slot.partition())
        };
        self.finish(live, JobState::Failed, format!("{place}: {why}"), Some(Topic::Execution));
    }

    /// Lets the waiting partitions of a job wait for what the job asks since another node refused it.
    fn move_waiting(&mut self, live: &mut Live) {
        let partitions: Vec<u32> = live.waiting.keys().copied().collect();
        for partition in partitions {
            if live.job.state.is_terminal() {
                return;
            }
            if live.waiting.get(&partition).is_none_or(|demand| *demand == live.demand) {
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
