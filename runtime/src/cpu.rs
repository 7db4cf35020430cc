//! The processor time of one run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Counts the processor time of a run, host calls included, whichever threads it is polled on.
///
/// It is read at every tick from within a poll and never from two threads at once, so that order is no matter.
#[derive(Clone, Default)]
pub(crate) struct Cpu(Arc<Counted>);

#[derive(Default)]
struct Counted {
    /// Nanoseconds of the polls that are over.
    before: AtomicU64,
    /// What the thread's clock said when the poll began.
    began: AtomicU64,
}

impl Cpu {
    /// A poll begins on this thread.
    pub(crate) fn begin(&self) {
        self.0.began.store(thread_nanos(), Ordering::Relaxed);
    }

    /// The poll is over.
    pub(crate) fn end(&self) {
        let used = self.used_in_poll();
        self.0.before.store(nanos(used), Ordering::Relaxed);
    }

    /// So far; to be asked from within a poll.
    pub(crate) fn used_in_poll(&self) -> Duration {
        let poll = thread_nanos().saturating_sub(self.0.began.load(Ordering::Relaxed));
        Duration::from_nanos(self.0.before.load(Ordering::Relaxed).saturating_add(poll))
    }

    /// In all polls that are over.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.0.before.load(Ordering::Relaxed))
    }
}

/// What this thread has computed since it began. Linux gives it to the nanosecond.
fn thread_nanos() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    nanos(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap_or(0)))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
