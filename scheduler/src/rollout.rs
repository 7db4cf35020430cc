//! Whose turn it is: canaries first, so many at a time, with pauses, and no further than failures allow.

use skrei_job::{
    JobId,
    life::JobState,
    rollout::{Order, Rollout},
};

use crate::{
    Phase, Scheduler, Steering,
    ending::error_details,
    fleet::stable_hash,
    history::{Details, Topic},
    live::Live,
    slot::Slot,
    timers::Timer,
};

/// A slot in the order of its job's roll-out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Turn {
    /// Another attempt is no new step: it comes first, and nothing holds it back.
    is_new: bool,
    /// Nodes without the label come last.
    unlabelled: bool,
    label: String,
    shuffled: u64,
    pub(crate) slot: Slot,
}

impl Scheduler {
    pub(crate) fn turn(&self, live: &Live, slot: Slot) -> Turn {
        let order = &live.job.spec.rollout().order;
        let label = match (order, &slot) {
            (Order::ByLabel(key), Slot::Node(node)) => {
                self.fleet.get(node).and_then(|member| member.node.info.labels.get(key)).cloned()
            }
            _ => None,
        };
        let shuffled = match (order, &slot) {
            (Order::Random, Slot::Node(node)) => stable_hash(&[live.job.id.as_str(), node.as_str()], 0),
            (Order::Random, Slot::Partition(number)) => {
                stable_hash(&[live.job.id.as_str()], u64::from(*number))
            }
            _ => 0,
        };
        let is_new = !live.tried.contains_key(&slot);
        Turn { is_new, unlabelled: label.is_none(), label: label.unwrap_or_default(), shuffled, slot }
    }

    /// Puts a slot in the order of those that are to be started.
    pub(crate) fn make_due(&mut self, live: &mut Live, slot: Slot) {
        let turn = self.turn(live, slot);
        live.due.insert(turn);
    }

    /// Starts what may be started now.
    pub(crate) fn advance(&mut self, live: &mut Live) {
        while !live.job.state.is_terminal() {
            let Some(turn) = live.due.first().filter(|turn| !turn.is_new || live.may_start()).cloned() else {
                break;
            };
            live.due.remove(&turn);
            if live.under_way.is_empty() && live.wave_left == 0 {
                let share = live.job.spec.rollout().max_parallel;
                live.wave_left = share.map_or(usize::MAX, |share| share.of(live.targets()));
            }
            if live.under_way.insert(turn.slot.clone()) {
                live.wave_left = live.wave_left.saturating_sub(1);
            }
            match &turn.slot {
                Slot::Node(node) => self.assign(live, node, turn.slot.partition()),
                Slot::Partition(partition) => self.want_again(live, *partition),
            }
        }
        self.is_running(live);
    }

    /// A slot came to a good or bad end. Services and daemons come to a good one as soon as they run.
    pub(crate) fn settle_slot(&mut self, live: &mut Live, slot: &Slot, well: bool) {
        live.under_way.remove(slot);
        if well {
            live.failed.remove(slot);
        } else {
            live.failed.insert(slot.clone());
        }
        if live.job.spec.rollout().is_gradual() {
            self.after_step(live);
        }
    }

    fn after_step(&mut self, live: &mut Live) {
        let rollout = live.job.spec.rollout().clone();
        let is_open = matches!(live.job.progress.phase, Phase::Going | Phase::Canary | Phase::Pause { .. });
        if !is_open || (live.due.is_empty() && live.absent.is_empty()) {
            return;
        }
        let failures = live.failed.len().saturating_sub(live.job.progress.forgiven);
        let is_canary = live.job.progress.phase == Phase::Canary;
        let bound = rollout.stop_after_failures.map(|share| share.of(live.targets()));
        if (is_canary && failures > 0) || bound.is_some_and(|bound| failures >= bound) {
            let what = if is_canary { "canary" } else { "attempt" };
            let why = format!("{failures} {what}{} went wrong", if failures == 1 { "" } else { "s" });
            self.halt(live, why, true);
            return;
        }
        let all_started = match is_canary {
            true => live.tried.len() >= rollout.canary as usize,
            false => {
                live.wave_left == 0 && live.job.progress.phase == Phase::Going && !rollout.pause.is_zero()
            }
        };
        if all_started && live.under_way.is_empty() {
            self.next_wave(live, &rollout);
        }
    }

    fn next_wave(&mut self, live: &mut Live, rollout: &Rollout) {
        live.wave_left = rollout.max_parallel.map_or(usize::MAX, |share| share.of(live.targets()));
        live.job.progress.phase = if rollout.pause.is_zero() {
            Phase::Going
        } else {
            let until = self.now.after(rollout.pause);
            self.timers.set(until, Timer::Pause(live.job.id.clone(), live.job.version));
            Phase::Pause { until }
        };
        self.record_progress(live);
    }

    pub(crate) fn end_pause(&mut self, job: &JobId, version: u64) {
        let Some(mut live) = self.take(job) else { return };
        let due = matches!(live.job.progress.phase, Phase::Pause { until } if until <= self.now);
        if live.job.version == version && due && !live.job.state.is_terminal() {
            live.job.progress.phase = Phase::Going;
            self.record_progress(&live);
            self.advance(&mut live);
        }
        self.put(live);
    }

    fn halt(&mut self, live: &mut Live, why: String, is_trouble: bool) {
        let canary = live.job.progress.phase == Phase::Canary;
        let mut details = if is_trouble { error_details() } else { Details::new() };
        details.insert("Rollout".into(), "Halted".to_owned());
        let left = live.due.len() + live.absent.len();
        let message = format!("Roll-out halted: {why}; {} started, {left} left", live.tried.len());
        self.note(live, None, Topic::Scheduling, message, details);
        self.clear_pause(live);
        live.job.progress.phase = Phase::Halted { why, canary };
        self.record_progress(live);
    }

    pub(crate) fn steer(&mut self, job: &JobId, steering: Steering) {
        let Some(mut live) = self.take(job) else { return };
        if !live.job.state.is_terminal() && live.job.progress.phase != Phase::Aborted {
            let is_halted = matches!(live.job.progress.phase, Phase::Halted { .. });
            match steering {
                Steering::Pause if is_halted => {}
                Steering::Pause => self.halt(&mut live, "paused by request".to_owned(), false),
                Steering::Resume => self.resume(&mut live),
                Steering::Abort => self.abort(&mut live),
            }
        }
        self.put(live);
    }

    fn resume(&mut self, live: &mut Live) {
        let canary = match live.job.progress.phase {
            Phase::Halted { canary, .. } => canary,
            Phase::Pause { .. } => false,
            _ => return,
        };
        self.clear_pause(live);
        let details = Details::new();
        self.note(live, None, Topic::Scheduling, "Roll-out goes on by request".to_owned(), details);
        live.job.progress.forgiven = live.failed.len();
        // Canaries that went wrong were looked at: the others may follow.
        let looked_at = !live.failed.is_empty() || live.under_way.is_empty();
        live.job.progress.phase = if canary && !looked_at { Phase::Canary } else { Phase::Going };
        if live.wave_left == 0 {
            let share = live.job.spec.rollout().max_parallel;
            live.wave_left = share.map_or(usize::MAX, |share| share.of(live.targets()));
        }
        self.record_progress(live);
        self.advance(live);
    }

    fn abort(&mut self, live: &mut Live) {
        self.clear_pause(live);
        let details = Details::new();
        self.note(live, None, Topic::Scheduling, "Roll-out aborted by request".to_owned(), details);
        live.job.progress.phase = Phase::Aborted;
        let due: Vec<Slot> = std::mem::take(&mut live.due).into_iter().map(|turn| turn.slot).collect();
        let absent = std::mem::take(&mut live.absent).into_iter().map(Slot::Node);
        for slot in due.into_iter().chain(absent) {
            if let Slot::Node(node) = slot
                && !live.tried.contains_key(&Slot::Node(node.clone()))
            {
                live.job.progress.missed.insert(node, "the roll-out was aborted".to_owned());
            }
        }
        live.job.progress.waiting.clear();
        self.record_progress(live);
        self.conclude(live);
    }

    /// Takes the timer of a pause away.
    pub(crate) fn clear_pause(&mut self, live: &Live) {
        if let Phase::Pause { until } = live.job.progress.phase {
            self.timers.clear(until, Timer::Pause(live.job.id.clone(), live.job.version));
        }
    }

    /// Ends a job for which a restart found nothing left to do.
    pub(crate) fn look_for_the_end(&mut self, job: &JobId, version: u64) {
        let Some(mut live) = self.take(job) else { return };
        if live.job.version == version && !live.job.state.is_terminal() {
            self.conclude(&mut live);
        }
        self.put(live);
    }

    /// Ends the job if nothing is left to do for it.
    pub(crate) fn conclude(&mut self, live: &mut Live) {
        if live.job.spec.kind() == skrei_job::spec::Kind::Ops && live.job.state != JobState::Stopped {
            self.conclude_ops(live);
        }
    }
}

impl Live {
    /// How many slots the job is to fill, as far as is known.
    pub(crate) fn targets(&self) -> usize {
        let again = self.due.iter().filter(|turn| self.tried.contains_key(&turn.slot)).count();
        let absent =
            self.absent.iter().filter(|node| !self.tried.contains_key(&Slot::Node((*node).clone()))).count();
        self.tried.len() + self.due.len() - again + absent
    }

    fn may_start(&self) -> bool {
        let rollout = self.job.spec.rollout();
        if !rollout.is_gradual() {
            return !matches!(self.job.progress.phase, Phase::Halted { .. } | Phase::Aborted);
        }
        match self.job.progress.phase {
            Phase::Halted { .. } | Phase::Aborted | Phase::Pause { .. } => false,
            Phase::Canary => self.tried.len() < rollout.canary as usize,
            // With nothing under way a new wave may begin: after a restart, or with a node that joins.
            Phase::Going if !rollout.pause.is_zero() => self.wave_left > 0 || self.under_way.is_empty(),
            Phase::Going => {
                let most = rollout.max_parallel.map_or(usize::MAX, |share| share.of(self.targets()));
                self.under_way.len() < most
            }
        }
    }
}
