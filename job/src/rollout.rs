//! How a job spreads over its fleet: to whom, in what order, how many at a time, and when it stops by itself.

use std::{fmt, time::Duration};

/// How a new version of a job reaches the nodes. The default starts everywhere at once and waits for nobody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// What is done about nodes that match and are not connected. Only `ops` jobs ask; a daemon waits anyway.
    pub wait_for_absent: WaitForAbsent,
    /// How many may be under way at a time; none means all.
    pub max_parallel: Option<Share>,
    /// How many go first, and must all do well before anybody else starts. 0 means none.
    pub canary: u32,
    /// Time to look between the canaries and the others, and between one wave and the next.
    pub pause: Duration,
    /// How many may go wrong before nothing new is started; none means that nothing stops it. A canary that
    /// goes wrong always does.
    pub stop_after_failures: Option<Share>,
    /// Who goes before whom.
    pub order: Order,
}

/// What is done about a node that matches and is not connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitForAbsent {
    /// It is listed as missed.
    #[default]
    Never,
    /// It is waited for until so long after the submission, then it is missed.
    For(Duration),
    /// It is waited for as long as the job is open.
    Forever,
}

/// A number, or a share of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// So many.
    Number(u32),
    /// So many in a hundred; more than 0, at most 100.
    Percent(u8),
}

/// Who goes before whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// By name of the node, or number of the partition.
    #[default]
    ByName,
    /// Shuffled, by the job's id: each job its own way, and the same way each time it is asked.
    Random,
    /// By the value of this label of the node; nodes without it come last.
    ByLabel(String),
}

impl Rollout {
    /// Whether anything is held back while others are under way.
    pub fn is_gradual(&self) -> bool {
        self.max_parallel.is_some() || self.canary > 0 || self.stop_after_failures.is_some()
    }
}

impl WaitForAbsent {
    /// Whether nodes that are away are waited for.
    pub fn waits(self) -> bool {
        self != Self::Never
    }
}

impl Share {
    /// So many of `whole`; at least one.
    pub fn of(self, whole: usize) -> usize {
        match self {
            Self::Number(number) => number as usize,
            Self::Percent(percent) => (whole * usize::from(percent)).div_ceil(100),
        }
        .max(1)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_nothing() {
        assert_eq!(Share::Percent(10).of(95), 10);
        assert_eq!(Share::Percent(1).of(5), 1);
        assert_eq!(Share::Percent(50).of(0), 1);
        assert_eq!(Share::Number(3).of(1000), 3);
    }
}
