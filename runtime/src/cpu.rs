//! The processor time of one run.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A poll as short as this has computed all the time: whoever is interrupted by another thread is away for longer.
const SHORT_NANOS: u64 = 100_000;

/// How old a reading of a thread's clock may be where a poll begins.
const FRESH: Duration = Duration::from_millis(1);

thread_local! {
    /// When this thread's clock was read last, and what it said.
    static READING: Cell<Option<(Instant, u64)>> = const { Cell::new(None) };
}

/// Counts the processor time of a run, host calls included, whichever threads it is polled on.
///
/// It is asked at every tick from within a poll and never from two threads at once, so that order is no matter.
///
/// To read a thread's clock takes a system call, and two of them a sixth of a short run. A short poll is counted by the
/// time that went by. A longer one by its thread's clock since the last reading before it, which is no older than
/// [`FRESH`], and by no more than went by: it is charged for up to that much of what its thread did before it.
#[derive(Clone)]
pub(crate) struct Cpu(Arc<Counted>);

struct Counted {
    epoch: Instant,
    /// Nanoseconds of the polls that are over.
    before: AtomicU64,
    /// When the poll began, in nanoseconds since the epoch.
    began: AtomicU64,
    /// What the thread's clock said then, or shortly before.
    reading: AtomicU64,
}

impl Cpu {
    pub(crate) fn new(epoch: Instant) -> Cpu {
        let (before, began, reading) = Default::default();
        Cpu(Arc::new(Counted { epoch, before, began, reading }))
    }

    /// A poll begins on this thread.
    pub(crate) fn begin(&self) {
        let now = Instant::now();
        let reading = match READING.get() {
            Some((at, reading)) if now.duration_since(at) < FRESH => reading,
            _ => read(now),
        };
        self.0.began.store(self.since_epoch(now), Ordering::Relaxed);
        self.0.reading.store(reading, Ordering::Relaxed);
    }

    /// The poll is over.
    pub(crate) fn end(&self) {
        let now = Instant::now();
        let passed = self.passed(now);
        let used = if passed <= SHORT_NANOS { passed } else { self.in_poll(now) };
        self.0.before.fetch_add(used, Ordering::Relaxed);
    }

    /// So far; to be asked from within a poll.
    pub(crate) fn used_in_poll(&self) -> Duration {
        self.used() + Duration::from_nanos(self.in_poll(Instant::now()))
    }

    /// In all polls that are over.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.0.before.load(Ordering::Relaxed))
    }

    fn in_poll(&self, now: Instant) -> u64 {
        read(now).saturating_sub(self.0.reading.load(Ordering::Relaxed)).min(self.passed(now))
    }

    /// Since the poll began.
    fn passed(&self, now: Instant) -> u64 {
        self.since_epoch(now).saturating_sub(self.0.began.load(Ordering::Relaxed))
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.0.epoch))
    }
}

/// What this thread has computed since it began. Linux gives it to the nanosecond.
fn read(now: Instant) -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let reading = nanos(Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap_or(0)));
    READING.set(Some((now, reading)));
    reading
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    fn compute(time: Duration) {
        let start = clock_gettime(ClockId::ThreadCPUTime);
        let start = Duration::new(start.tv_sec.unsigned_abs(), start.tv_nsec as u32);
        while Duration::from_nanos(read(Instant::now())) < start + time {}
    }

    #[test]
    fn what_was_computed_counts_and_what_was_waited_for_does_not() {
        let cpu = Cpu::new(Instant::now());
        compute(Duration::from_millis(20));
        for _ in 0..3 {
            cpu.begin();
            compute(Duration::from_millis(10));
            sleep(Duration::from_millis(30));
            assert!(cpu.used_in_poll() >= Duration::from_millis(10));
            cpu.end();
            sleep(Duration::from_millis(5));
        }
        let used = cpu.used();
        assert!(used >= Duration::from_millis(30) && used < Duration::from_millis(45), "{used:?}");
    }

    #[test]
    fn short_polls_add_up() {
        let cpu = Cpu::new(Instant::now());
        let start = Instant::now();
        let mut polls = 0;
        while start.elapsed() < Duration::from_millis(20) {
            cpu.begin();
            std::hint::black_box((0..1000).sum::<u64>());
            cpu.end();
            polls += 1;
        }
        assert!(
            cpu.used() > Duration::from_nanos(polls) && cpu.used() <= start.elapsed(),
            "{:?}",
            cpu.used()
        );
    }
}
