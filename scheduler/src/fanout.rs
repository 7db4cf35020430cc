//! Jobs that go to every matching node: `ops` once, `daemon` kept running.

use skrei_job::{
    JobId, NodeId,
    life::{ExecutionState, JobState},
    rollout::WaitForAbsent,
    spec::Kind,
};

use crate::{
    Connection, Node, Phase, Scheduler,
    history::{Details, Topic},
    live::Live,
    placement::{self, Reason},
    retry::Next,
    slot::Slot,
    submission::node_details,
    timers::Timer,
};

/// What a node is to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Match {
    /// It may have an execution, now or when it has room.
    There,
    /// It may have one when it is back.
    Absent,
    /// It may not have one.
    Out,
}

impl Scheduler {
    pub(crate) fn begin_fanout(&mut self, live: &mut Live) {
        let (mut there, mut absent) = (Vec::new(), Vec::new());
        for member in self.fleet.iter() {
            let node = member.node.info.id.clone();
            match self.match_of(live, &node) {
                Match::There => there.push(node),
                Match::Absent => absent.push(node),
                Match::Out => {}
            }
        }
        let (wait, is_ops) = (live.job.spec.rollout().wait_for_absent, live.job.spec.kind() == Kind::Ops);
        let waits = wait.waits() || !is_ops;
        if there.is_empty() && (absent.is_empty() || !waits) {
            return self.nobody_matches(live);
        }
        for node in there {
            self.make_due(live, Slot::Node(node));
        }
        if waits {
            live.absent.extend(absent);
        } else {
            let missed = absent.into_iter().map(|node| {
                let why = self.why_absent(&node);
                (node, why)
            });
            live.job.progress.missed = missed.collect();
        }
        if live.job.spec.rollout().canary > 0 {
            live.job.progress.phase = Phase::Canary;
        }
        self.begin_steps(live);
        if live.active == 0 && !live.job.state.is_terminal() {
            let why = self.why_no_node(live, None);
            self.is_queued(live, why);
        }
    }

    /// Starts the first steps of a roll-out, and writes down who waits for a later one.
    pub(crate) fn begin_steps(&mut self, live: &mut Live) {
        let rollout = live.job.spec.rollout();
        live.wave_left = rollout.max_parallel.map_or(usize::MAX, |share| share.of(live.targets()));
        self.advance(live);
        let due = live.due.iter().filter_map(|turn| match &turn.slot {
            Slot::Node(node) => Some(node.clone()),
            Slot::Partition(_) => None,
        });
        live.job.progress.waiting = due.chain(live.absent.iter().cloned()).collect();
        if live.job.progress != crate::Progress::default() {
            self.record_progress(live);
        }
        self.watch(live);
    }

    fn nobody_matches(&mut self, live: &mut Live) {
        let reason = self.why_no_node(live, None);
        if live.job.spec.kind() == Kind::Daemon || live.may_wait_for_first(self.now) {
            self.watching.insert(live.job.id.clone());
            self.is_queued(live, reason);
        } else {
            self.finish(live, JobState::Failed, reason, Some(Topic::Scheduling));
        }
    }

    /// Keeps an eye on the fleet for a job that nodes may concern which come, go or change.
    pub(crate) fn watch(&mut self, live: &Live) {
        let waits = live.job.spec.kind() == Kind::Daemon
            || live.job.spec.rollout().wait_for_absent.waits()
            || live.tried.is_empty()
            || !live.due.is_empty()
            || !live.absent.is_empty();
        if waits && !live.job.state.is_terminal() && !live.job.spec.kind().is_counted() {
            self.watching.insert(live.job.id.clone());
        }
    }

    fn match_of(&self, live: &Live, node: &NodeId) -> Match {
        let Some(member) = self.fleet.get(node).filter(|_| live.job.progress.only.has_node(node)) else {
            return Match::Out;
        };
        let mut found = Match::There;
        for reason in placement::reasons(&live.demand, member.candidate()) {
            match reason {
                Reason::Busy(_) => {}
                Reason::Away | Reason::Lost | Reason::Cordoned | Reason::Unwell(_) => found = Match::Absent,
                _ => return Match::Out,
            }
        }
        found
    }

    /// Takes in that a node came, went or changed.
    pub(crate) fn look_at(&mut self, node: &NodeId) {
        let jobs: Vec<JobId> = self.watching.iter().cloned().collect();
        for job in jobs {
            let Some(mut live) = self.take(&job) else { continue };
            if !live.job.state.is_terminal() {
                self.concerns(&mut live, node);
            }
            self.put(live);
        }
    }

    pub(crate) fn concerns(&mut self, live: &mut Live, node: &NodeId) {
        let slot = Slot::Node(node.clone());
        let found = self.match_of(live, node);
        let turn = self.turn(live, slot.clone());
        let was_due = live.due.iter().any(|due| due.slot == slot);
        let was_absent = live.absent.remove(node);
        // By its old label it may have had another turn.
        live.due.retain(|due| due.slot != slot);
        if live.is_filled(&slot) {
            if found == Match::Out && live.job.spec.kind() == Kind::Daemon {
                self.withdraw(live, &slot);
            }
        } else if !live.again.contains_key(&slot) && self.is_wanted(live, &slot, was_due || was_absent) {
            let waits =
                live.job.spec.rollout().wait_for_absent.waits() || live.job.spec.kind() == Kind::Daemon;
            match found {
                Match::There if self.asks_what_became(live, &slot) => {
                    live.absent.insert(node.clone());
                }
                Match::There => {
                    live.due.insert(turn);
                }
                // A link that broke may be mended; a node that is lost, cordoned or unwell before its turn is missed.
                Match::Absent if waits || self.is_briefly_away(node) || live.tried.contains_key(&slot) => {
                    live.absent.insert(node.clone());
                }
                Match::Absent if was_due || was_absent => {
                    let why = format!("{} before its turn", self.why_absent(node));
                    live.job.progress.missed.insert(node.clone(), why);
                    self.record_progress(live);
                }
                _ => {}
            }
        }
        if was_due || was_absent {
            self.look_for_a_first(live);
        }
        self.advance(live);
        self.conclude(live);
    }

    /// The node that a queued job waited for is out of question: whoever came meanwhile will do as well.
    fn look_for_a_first(&mut self, live: &mut Live) {
        let has_target = !live.tried.is_empty() || !live.due.is_empty() || !live.absent.is_empty();
        if has_target || live.job.state != JobState::Queued || live.job.progress.phase == Phase::Aborted {
            return;
        }
        let nodes: Vec<NodeId> = self.fleet.iter().map(|member| member.node.info.id.clone()).collect();
        for node in nodes {
            if self.match_of(live, &node) == Match::There {
                self.make_due(live, Slot::Node(node));
            }
        }
    }

    /// Before an ops job runs again on a node that is back, the node says how the lost attempt ended there, or
    /// that it never heard of it: it may have done its work while it was cut off.
    fn asks_what_became(&mut self, live: &Live, slot: &Slot) -> bool {
        let lost = live
            .tried
            .get(slot)
            .and_then(|tried| live.attempts.get(tried.last()?))
            .filter(|attempt| attempt.owed && attempt.execution.state == ExecutionState::Lost);
        let Some(attempt) = lost.filter(|_| live.job.spec.kind() == Kind::Ops) else { return false };
        self.send_cancel(&attempt.execution.node, &attempt.execution.id, "given up while the node was away");
        true
    }

    fn is_briefly_away(&self, node: &NodeId) -> bool {
        self.fleet.get(node).is_some_and(|member| {
            let is_lost = matches!(member.node.connection, Connection::Lost { .. });
            !(is_lost || member.is_connected() && !member.is_usable())
        })
    }

    /// Why a node that matches cannot have its execution now.
    fn why_absent(&self, node: &NodeId) -> String {
        let Some(Node { connection, orders, unwell, .. }) = self.fleet.get(node).map(|member| &member.node)
        else {
            return "lost".to_owned();
        };
        match (connection, unwell) {
            (Connection::Connected, _) if orders.cordoned => "cordoned".to_owned(),
            (Connection::Connected, Some(why)) => format!("unwell: {why}"),
            (Connection::Lost { .. }, _) => "lost".to_owned(),
            _ => "not connected".to_owned(),
        }
    }

    /// Whether a node without an execution is to have one.
    fn is_wanted(&self, live: &Live, slot: &Slot, was_wanted: bool) -> bool {
        if live.job.progress.phase == Phase::Aborted {
            return false;
        }
        if let Some(last) = live.last_at(slot) {
            return match live.next(slot, last) {
                Next::WhenBack => true,
                Next::Again(_) => was_wanted || live.job.spec.kind() == Kind::Daemon,
                _ => false,
            };
        }
        let waits_for_first = live.tried.is_empty() && live.due.is_empty() && live.absent.is_empty();
        let joins = live.job.spec.kind() == Kind::Daemon || live.job.spec.rollout().wait_for_absent.waits();
        let was_missed = matches!(slot, Slot::Node(node) if live.job.progress.missed.contains_key(node));
        was_wanted || waits_for_first || (joins && !was_missed)
    }

    /// A daemon leaves a node that does not match any more.
    fn withdraw(&mut self, live: &mut Live, slot: &Slot) {
        if let Some(id) = live.tried.get(slot).and_then(|tried| tried.last()).cloned() {
            self.cancel_one(live, &id, "the node does not match any more");
            live.under_way.remove(slot);
        }
    }

    /// A node that somebody removed is no target any more.
    pub(crate) fn forget_target(&mut self, node: &NodeId) {
        let jobs: Vec<JobId> = self.watching.iter().cloned().collect();
        for job in jobs {
            let Some(mut live) = self.take(&job) else { continue };
            let slot = Slot::Node(node.clone());
            live.absent.remove(node);
            live.due.retain(|turn| turn.slot != slot);
            if !live.job.state.is_terminal() {
                self.advance(&mut live);
                self.conclude(&mut live);
            }
            self.put(live);
        }
    }

    /// Goes on after an attempt of the current version has ended.
    pub(crate) fn continue_fanout(&mut self, live: &mut Live, slot: &Slot, next: Next) {
        match next {
            Next::Done => self.settle_slot(live, slot, true),
            Next::Over | Next::Elsewhere => self.settle_slot(live, slot, false),
            Next::Again(wait) => {
                if live.job.spec.kind().is_kept_running() {
                    self.settle_slot(live, slot, false);
                }
                self.wait_for_again(live, slot, self.now.after(wait));
            }
            Next::WhenBack => {
                if let Slot::Node(node) = slot {
                    live.absent.insert(node.clone());
                }
                self.settle_slot(live, slot, false);
                self.watch(live);
            }
        }
        self.advance(live);
        self.conclude(live);
    }

    /// Lets a slot have another attempt at a time.
    pub(crate) fn wait_for_again(&mut self, live: &mut Live, slot: &Slot, at: skrei_job::Timestamp) {
        live.again.insert(slot.clone(), at);
        self.timers.set(at, Timer::Again(live.job.id.clone(), live.job.version, slot.clone()));
    }

    /// The time for another attempt has come.
    pub(crate) fn try_again(&mut self, job: &JobId, version: u64, slot: &Slot) {
        let Some(mut live) = self.take(job) else { return };
        let waited = live.job.version == version && live.again.remove(slot).is_some();
        if waited && !live.job.state.is_terminal() {
            match slot {
                Slot::Partition(partition) => self.want_again(&mut live, *partition),
                Slot::Node(node) => {
                    match self.match_of(&live, node) {
                        Match::There => self.assign(&mut live, node, 0),
                        Match::Absent => {
                            live.absent.insert(node.clone());
                        }
                        Match::Out => self.settle_slot(&mut live, slot, false),
                    }
                    self.watch(&live);
                    self.conclude(&mut live);
                }
            }
        }
        self.put(live);
    }

    /// Whoever has not come by now is missed.
    pub(crate) fn miss_the_absent(&mut self, job: &JobId, version: u64) {
        let Some(mut live) = self.take(job) else { return };
        if live.job.version == version && !live.job.state.is_terminal() {
            let WaitForAbsent::For(span) = live.job.spec.rollout().wait_for_absent else {
                return self.put(live);
            };
            for node in std::mem::take(&mut live.absent) {
                let why = format!("not connected within {}", skrei_job::duration::text(span));
                if !live.tried.contains_key(&Slot::Node(node.clone())) {
                    let message = format!("{} is missed: {why}", node.short());
                    self.note(&mut live, None, Topic::Scheduling, message, node_details(&node));
                    live.job.progress.missed.insert(node, why);
                }
            }
            self.record_progress(&live);
            // Its queue timeout may let it wait for a first node longer than for those that are away.
            let waits_for_first = live.tried.is_empty() && live.may_wait_for_first(self.now);
            if live.due.is_empty() && !waits_for_first {
                self.watching.remove(&live.job.id);
            }
            self.conclude(&mut live);
        }
        self.put(live);
    }

    /// Ends an ops job once nothing is left to do: `Completed` only if every node that was to run it did.
    pub(crate) fn conclude_ops(&mut self, live: &mut Live) {
        if !live.may_be_over() {
            return;
        }
        let missed = live.job.progress.missed.clone();
        if live.tried.is_empty() && missed.is_empty() {
            if live.may_wait_for_first(self.now) && live.job.progress.phase != Phase::Aborted {
                return;
            }
            // The last node that was to run it is gone.
            let reason = self.why_no_node(live, None);
            return self.finish(live, JobState::Failed, reason, Some(Topic::Scheduling));
        }
        let last = live.tried.keys().filter_map(|slot| live.last_at(slot));
        let failures: Vec<_> =
            last.filter_map(|execution| Some((&execution.node, not_completed(&execution.state)?))).collect();
        let waited =
            live.job.spec.rollout().wait_for_absent.waits() || live.job.progress.phase == Phase::Aborted;
        let (all, wrong) = (live.tried.len(), failures.len());
        let of_missed = placement::grouped(missed.iter().map(|(node, why)| (node, why.clone())));
        let failed = (wrong > 0).then(|| {
            format!("{wrong} of {} failed: {}", placement::nodes(all), placement::grouped(failures))
        });
        let was_missed =
            (!missed.is_empty()).then(|| format!("{} missed: {of_missed}", placement::nodes(missed.len())));
        let message = [failed.clone(), was_missed].into_iter().flatten().collect::<Vec<_>>().join("; ");
        if failed.is_some() || (waited && !missed.is_empty()) || all == 0 {
            self.finish(live, JobState::Failed, message, Some(Topic::Execution));
        } else {
            if !message.is_empty() {
                self.note(live, None, Topic::Scheduling, message.clone(), Details::new());
            }
            self.finish(live, JobState::Completed, message, None);
        }
    }
}

/// Why a node did not complete its execution; none if it did.
pub(crate) fn not_completed(state: &ExecutionState) -> Option<String> {
    match state {
        ExecutionState::Completed(_) => None,
        ExecutionState::Failed(failure) => Some(failure.message.clone()),
        ExecutionState::Refused(refusal) => {
            Some(format!("refused ({}): {}", refusal.rule.as_str(), refusal.message))
        }
        ExecutionState::Cancelled { reason } => Some(format!("cancelled: {reason}")),
        ExecutionState::Lost => {
            Some("lost: the node was not heard from for too long, or taken out of the fleet".to_owned())
        }
        ExecutionState::Assigned | ExecutionState::Running => Some("not done".to_owned()),
    }
}
