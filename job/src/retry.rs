//! What is tried again after it went wrong, how often, and how soon.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    life::ExecutionState,
    outcome::{Cause, Failure},
};

/// What is tried again. Refusals and what could not be made ready are not: the same again would end the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many further attempts each node or partition gets.
    pub attempts: u32,
    /// How long the first of them waits; each later one waits twice as long, at most [`BACKOFF_MAX`].
    pub backoff: Duration,
    /// After what.
    pub on: BTreeSet<Mishap>,
}

/// The longest wait between two attempts.
pub const BACKOFF_MAX: Duration = Duration::from_secs(5 * 60);

/// What can go wrong and may go better the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// The node was lost, or stopped while the guest ran.
    NodeLost,
    /// The guest ran out of time.
    Timeout,
    /// The guest exited with a code other than 0.
    Exit,
    /// The guest trapped, or hit a limit.
    Trap,
}

impl Mishap {
    /// Every mishap with its word.
    pub const ALL: &[(&str, Mishap)] = &[
        ("node-lost", Mishap::NodeLost),
        ("timeout", Mishap::Timeout),
        ("exit", Mishap::Exit),
        ("trap", Mishap::Trap),
    ];

    /// The mishap an execution ended with; none if it did not end, ended well, or ended for good.
    pub fn of(state: &ExecutionState) -> Option<Self> {
        let cause = match state {
            ExecutionState::Lost => return Some(Self::NodeLost),
            ExecutionState::Failed(Failure { cause, .. }) => cause,
            _ => return None,
        };
        match cause {
            Cause::Interrupted | Cause::NodeLost => Some(Self::NodeLost),
            Cause::Timeout => Some(Self::Timeout),
            Cause::Exited => Some(Self::Exit),
            Cause::Trapped | Cause::Limit => Some(Self::Trap),
            Cause::NotPrepared | Cause::NotPublished => None,
        }
    }
}

impl Retry {
    /// A batch partition that loses its node gets one more attempt.
    pub fn of_batch() -> Self {
        Self { attempts: 1, backoff: Duration::ZERO, on: [Mishap::NodeLost].into() }
    }

    /// An ops job says what became of each node and leaves it at that.
    pub fn never() -> Self {
        Self { attempts: 0, backoff: Duration::ZERO, on: BTreeSet::new() }
    }

    /// Services and daemons are started again, whatever they ended with: after a second, then less and less often.
    pub fn of_service() -> Self {
        Self { attempts: u32::MAX, backoff: Duration::from_secs(1), on: BTreeSet::new() }
    }

    /// How long the attempt after `before` failed ones waits.
    pub fn wait(&self, before: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(before.saturating_sub(1).min(16));
        self.backoff.saturating_mul(doubled).min(BACKOFF_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_a_bound() {
        let retry = Retry { backoff: Duration::from_secs(10), ..Retry::never() };
        let waits: Vec<_> = (1..8).map(|before| retry.wait(before).as_secs()).collect();
        assert_eq!(waits, [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(Retry::of_batch().wait(1), Duration::ZERO);
    }
}
