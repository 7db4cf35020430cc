//! Who gets room when there is some.
//!
//! Waiting partitions stand in lines of equal demand. When a node has room, the first of all lines whose demand
//! it meets is served: higher priority first, then who came first; what does not fit is passed over. So that
//! passing over cannot go on for ever, each line has one node set aside for its first in line, and only who is
//! ahead of that one by rank, or an ops job, may still be placed there. With more lines than nodes, a node that
//! becomes free of this duty takes over the line whose first in line is ahead of the others.

use std::{collections::BTreeSet, sync::Arc};

use skrei_job::{JobId, NodeId, life::JobState};

use crate::{
    Scheduler,
    fleet::{Member, could_run, stable_hash},
    history::Topic,
    live::Live,
    placement::{self, Demand, Reason},
    queue::Ticket,
    slot::Slot,
};

impl Scheduler {
    /// A node that can take this now: the least loaded, among equals not always the same one.
    /// Nodes that satisfy the job's wishes come first, and those where this partition was not tried yet.
    pub(crate) fn find_room(&self, live: &Live, demand: &Demand, ticket: &Ticket) -> Option<NodeId> {
        let start = stable_hash(&[ticket.job.as_str()], u64::from(ticket.partition));
        let tried: BTreeSet<&NodeId> =
            live.attempts_at(&Slot::Partition(ticket.partition)).map(|attempt| &attempt.node).collect();
        // What counts against a node: each wish that it does not satisfy, and more than all, an attempt.
        let wishes = demand.wishes.len();
        let against = |member: &Member| {
            let was_tried = tried.contains(&member.node.info.id);
            demand.unsatisfied(&member.node.info.labels) + if was_tried { wishes + 1 } else { 0 }
        };
        let worst = if tried.is_empty() { wishes } else { 2 * wishes + 1 };
        (0..=worst).find_map(|bound| {
            self.fleet
                .choose(start, |member| against(member) <= bound && self.can_take(demand, ticket, member))
        })
    }

    fn can_take(&self, demand: &Demand, ticket: &Ticket, member: &Member) -> bool {
        member.has_room(&demand.resources)
            && self.may_use(demand, ticket, member)
            && placement::reasons(demand, member.candidate()).next().is_none()
    }

    /// Whether the node is not set aside for somebody ahead.
    fn may_use(&self, demand: &Demand, ticket: &Ticket, member: &Member) -> bool {
        match &member.reserved {
            Some(reserved) if **reserved != *demand => {
                self.queue.first(reserved).is_none_or(|first| ticket < first)
            }
            _ => true,
        }
    }

    pub(crate) fn open_line(&mut self, demand: &Arc<Demand>) {
        let possible = self.fleet.possible(demand);
        let why = self.why_wait(demand);
        if let Some(line) = self.queue.get_mut(demand) {
            line.possible = possible;
            line.why = why;
        }
        self.set_node_aside(demand);
    }

    /// Takes a partition out of its line.
    pub(crate) fn stop_waiting(&mut self, live: &mut Live, partition: u32) {
        let Some(demand) = live.waiting.remove(&partition) else { return };
        self.leave_line(&demand, &live.ticket(partition));
    }

    /// The node set aside for the line may now be used by others: all, if the line is gone, or those ahead of
    /// who is first in line now.
    fn leave_line(&mut self, demand: &Demand, ticket: &Ticket) {
        let reserved = self.queue.get(demand).and_then(|line| line.reserved.clone());
        let closed = self.queue.leave(demand, ticket);
        match reserved {
            Some(node) if closed => self.free_of_duty(&node),
            Some(node) => {
                self.roomy.insert(node);
            }
            None => {}
        }
    }

    /// Takes everything of a job out of the queues.
    pub(crate) fn leave_queues(&mut self, live: &mut Live) {
        self.watching.remove(&live.job.id);
        live.due.clear();
        live.absent.clear();
        let partitions: Vec<u32> = live.waiting.keys().copied().collect();
        for partition in partitions {
            self.stop_waiting(live, partition);
        }
    }

    /// Sets a node aside for a line that has none, if one is left.
    fn set_node_aside(&mut self, demand: &Arc<Demand>) {
        let Some(line) = self.queue.get(demand) else { return };
        if line.reserved.is_some() {
            return;
        }
        let start = line.tickets.first().map_or(0, |first| stable_hash(&[first.job.as_str()], 0));
        let node = self.fleet.choose(start, |member| member.reserved.is_none() && could_run(demand, member));
        if let (Some(node), Some(line)) = (node, self.queue.get_mut(demand)) {
            self.fleet.reserve(&node, Some(demand.clone()));
            line.reserved = Some(node);
        }
    }

    /// A node is no longer set aside: the first in line who has none gets it.
    fn free_of_duty(&mut self, node: &NodeId) {
        self.fleet.reserve(node, None);
        self.roomy.insert(node.clone());
        let Some(member) = self.fleet.get(node).filter(|member| member.is_usable()) else { return };
        let next = self
            .queue
            .iter()
            .filter(|(demand, line)| line.reserved.is_none() && could_run(demand, member))
            .min_by_key(|(_, line)| line.tickets.first())
            .map(|(demand, _)| demand.clone());
        if let Some(demand) = next
            && let Some(line) = self.queue.get_mut(&demand)
        {
            line.reserved = Some(node.clone());
            self.fleet.reserve(node, Some(demand));
        }
    }

    /// Takes in that a node came, went or changed.
    pub(crate) fn reconsider(&mut self, node: &NodeId) {
        self.roomy.insert(node.clone());
        let demands: Vec<_> = self.queue.iter().map(|(demand, _)| demand.clone()).collect();
        for demand in demands {
            let could = self.fleet.get(node).is_some_and(|member| could_run(&demand, member));
            let Some(line) = self.queue.get(&demand) else { continue };
            let possible = match &line.possible {
                Some(possible) if possible == node && !could => self.fleet.possible(&demand),
                None if could => Some(node.clone()),
                unchanged => unchanged.clone(),
            };
            if possible.is_none() {
                self.doubtful.insert(demand.clone());
            }
            let Some(line) = self.queue.get_mut(&demand) else { continue };
            line.possible = possible;
            let usable = self.fleet.get(node).is_some_and(Member::is_usable);
            if line.reserved.as_ref() == Some(node) && !(could && usable) {
                line.reserved = None;
                self.fleet.reserve(node, None);
                self.set_node_aside(&demand);
            }
        }
        if self.fleet.get(node).is_some_and(|member| member.reserved.is_none()) {
            self.free_of_duty(node);
        }
        self.look_at(node);
    }

    /// Gives out the room that has appeared, and ends what no node could ever run any more.
    pub(crate) fn serve_waiting(&mut self) {
        loop {
            if let Some(demand) = self.doubtful.pop_first() {
                self.end_hopeless(&demand);
            } else if let Some(node) = self.roomy.pop_first() {
                self.serve(&node);
            } else {
                return;
            }
        }
    }

    fn end_hopeless(&mut self, demand: &Demand) {
        let Some(line) = self.queue.get(demand).filter(|line| line.possible.is_none()) else { return };
        let jobs: std::collections::BTreeSet<JobId> =
            line.tickets.iter().map(|ticket| ticket.job.clone()).collect();
        for job in jobs {
            let Some(mut live) = self.take(&job) else { continue };
            if !live.may_wait_for_nodes(self.now) {
                let message = self.why_no_node(&live, Some(demand));
                self.finish(&mut live, JobState::Failed, message, Some(Topic::Scheduling));
            }
            self.put(live);
        }
    }

    fn serve(&mut self, node: &NodeId) {
        self.empty(node);
        while let Some((execution, job)) = self.fleet.admit(node) {
            if let Some(mut live) = self.take(&job) {
                self.start(&mut live, node, &execution);
                self.put(live);
            }
        }
        while let Some((demand, ticket)) = self.next_for(node) {
            let Some(mut live) = self.take(&ticket.job) else { return };
            live.waiting.remove(&ticket.partition);
            let reserved = self.queue.get(&demand).and_then(|line| line.reserved.clone());
            self.leave_line(&demand, &ticket);
            if reserved.as_ref() == Some(node)
                && let Some(line) = self.queue.get_mut(&demand)
            {
                // Served: the duty goes to whoever is first of all now.
                line.reserved = None;
                self.free_of_duty(node);
            }
            self.assign(&mut live, node, ticket.partition);
            self.is_running(&mut live);
            self.put(live);
        }
    }

    /// Whose turn it is on a node.
    fn next_for(&self, node: &NodeId) -> Option<(Arc<Demand>, Ticket)> {
        let member = self.fleet.get(node)?;
        self.queue
            .iter()
            .filter_map(|(demand, line)| Some((demand, line.tickets.first()?)))
            .filter(|(demand, first)| self.can_take(demand, first, member))
            .min_by_key(|(_, first)| *first)
            .map(|(demand, first)| (demand.clone(), first.clone()))
    }

    /// Why a node does not take this now.
    pub(crate) fn why_not(&self, demand: &Demand, member: &Member) -> String {
        let reasons: Vec<Reason> = placement::reasons(demand, member.candidate()).collect();
        if !reasons.is_empty() {
            placement::list(&reasons)
        } else if member.held.is_empty() {
            "set aside for work that waits longer".to_owned()
        } else {
            "busy: others wait for it".to_owned()
        }
    }
}
