//! What follows from the end of an attempt, by the rule of its job.

use std::time::Duration;

use skrei_job::{
    life::{Execution, ExecutionState},
    outcome::{Cause, Failure, Refusal, Rule},
    retry::Mishap,
    spec::Kind,
};

use crate::{live::Live, slot::Slot};

/// An execution of a service or daemon that lived so long was well: the next wait is the first again.
pub(crate) const HEALTHY_AFTER: Duration = Duration::from_secs(5 * 60);

/// When a node is asked again that would not take an execution because it was shutting down.
const DRAINED_AFTER: Duration = Duration::from_secs(60);

/// What follows from the end of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: it is done.
    Done,
    /// Another attempt, so long after the end.
    Again(Duration),
    /// Another attempt when the node is there.
    WhenBack,
    /// Another attempt on a node that has not refused.
    Elsewhere,
    /// Nothing: it cannot be done, and the reason will not go away.
    Over,
}

impl Live {
    /// What follows from the end of the last attempt at a slot. Only the attempts and the rule decide, so that a
    /// restart comes to the same.
    pub(crate) fn next(&self, slot: &Slot, last: &Execution) -> Next {
        let kind = self.job.spec.kind();
        match &last.state {
            ExecutionState::Assigned | ExecutionState::Running => Next::Done,
            ExecutionState::Completed(_) if !kind.is_kept_running() => Next::Done,
            ExecutionState::Refused(_) if kind.is_counted() => Next::Elsewhere,
            ExecutionState::Refused(refusal) => self.after_refusal(slot, refusal),
            ExecutionState::Failed(Failure { cause: Cause::NotPrepared, .. }) => Next::Over,
            ExecutionState::Lost if kind == Kind::Daemon => Next::WhenBack,
            ExecutionState::Lost if kind.is_kept_running() => Next::Again(Duration::ZERO),
            _ if kind.is_kept_running() => Next::Again(self.restart_wait(slot)),
            state => self.by_rule(slot, state),
        }
    }

    /// A refusal that will pass is waited out where waiting is asked for.
    fn after_refusal(&self, slot: &Slot, refusal: &Refusal) -> Next {
        let passes = matches!(refusal.rule, Rule::Draining | Rule::Capacity);
        match self.job.spec.kind() {
            Kind::Daemon if passes => Next::Again(self.restart_wait(slot)),
            // A node that shuts down is soon absent, and is waited for then.
            Kind::Ops
                if refusal.rule == Rule::Draining && self.job.spec.rollout().wait_for_absent.waits() =>
            {
                Next::Again(DRAINED_AFTER)
            }
            _ => Next::Over,
        }
    }

    fn by_rule(&self, slot: &Slot, state: &ExecutionState) -> Next {
        let retry = self.job.spec.retry();
        let made = self.attempts_at(slot).filter(|execution| Mishap::of(&execution.state).is_some()).count();
        let made = u32::try_from(made).unwrap_or(u32::MAX);
        match Mishap::of(state) {
            Some(mishap) if retry.on.contains(&mishap) && made <= retry.attempts => match (state, slot) {
                (ExecutionState::Lost, Slot::Node(_)) => Next::WhenBack,
                _ => Next::Again(retry.wait(made)),
            },
            _ => Next::Over,
        }
    }

    fn restart_wait(&self, slot: &Slot) -> Duration {
        let short_lived = self
            .attempts_at(slot)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .take_while(|execution| execution.modified.since(execution.created) < HEALTHY_AFTER)
            .count();
        self.job.spec.retry().wait(u32::try_from(short_lived.max(1)).unwrap_or(u32::MAX))
    }
}
