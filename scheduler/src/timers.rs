//! What must happen at a certain time.

use std::collections::BTreeSet;

use skrei_job::{JobId, NodeId, Timestamp};

use crate::slot::Slot;

/// Why the scheduler wants to be woken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// This version of a job may not wait for nodes any longer.
    Queue(JobId, u64),
    /// This version of a job may not go on any longer.
    Total(JobId, u64),
    /// This slot of a version of a job gets another attempt.
    Again(JobId, u64, Slot),
    /// Nodes that are not there are not waited for any longer.
    Absent(JobId, u64),
    /// The pause of a roll-out ends.
    Pause(JobId, u64),
    /// The grace of a silent node ends.
    Silence(NodeId),
    /// What a node still has is given to others.
    Drain(NodeId),
    /// Whether this version of a job is over is looked at again: a restart found nothing left to do for it.
    Conclude(JobId, u64),
    /// An ended job need not be remembered any longer.
    Forget(JobId, u64),
}

impl Timer {
    fn why(&self) -> &'static str {
        match self {
            Self::Queue(..) => "queue timeout",
            Self::Total(..) => "total timeout",
            Self::Again(..) => "another attempt",
            Self::Absent(..) => "wait for absent nodes",
            Self::Pause(..) => "pause of a roll-out",
            Self::Silence(..) => "node silence grace",
            Self::Drain(..) => "drain deadline",
            Self::Conclude(..) => "nothing left to do",
            Self::Forget(..) => "late outcome window",
        }
    }
}

/// Timers in the order they are due. One that has become pointless does nothing when it fires.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<(Timestamp, Timer)>);

impl Timers {
    pub(crate) fn set(&mut self, at: Timestamp, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub(crate) fn clear(&mut self, at: Timestamp, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub(crate) fn next(&self) -> Option<(Timestamp, &'static str)> {
        self.0.first().map(|(at, timer)| (*at, timer.why()))
    }

    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Timer> {
        let (at, _) = self.0.first()?;
        if *at > now {
            return None;
        }
        self.0.pop_first().map(|(_, timer)| timer)
    }
}
