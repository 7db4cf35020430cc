//! Where a guest's time and randomness come from.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::fs::{Errno, Result};
use crate::share::Share;

/// Time and randomness that are the same in every run: see [`Sandbox::deterministic`](crate::Sandbox::deterministic).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deterministic {
    /// What the wall clock shows first, since the start of 1970. Default 0. The monotonic clock begins at 0.
    pub start: Duration,
    /// How far both clocks move with each reading of either. Default 1 µs, so that a guest that waits for time to
    /// pass by looking at the clock gets there. With 0 they stand still.
    pub step: Duration,
    /// Decides the random bytes. Default 0. They look random and are no secret: not for keys.
    pub seed: u64,
}

impl Default for Deterministic {
    fn default() -> Deterministic {
        Deterministic { start: Duration::ZERO, step: Duration::from_micros(1), seed: 0 }
    }
}

/// The clocks a guest has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuestClock {
    Realtime,
    /// Starts at zero with the run, so that it tells nothing about the host.
    Monotonic,
}

/// Where a guest's time and randomness come from.
pub(crate) enum Sources {
    /// The host's.
    Host {
        /// When the run began.
        started: Instant,
    },
    /// Made up, and the same in every run.
    Made(Made),
}

/// Time and randomness that are made up. Clones are of the same.
#[derive(Clone)]
pub(crate) struct Made(Share<Course>);

/// How far a run's made-up time and randomness have come.
struct Course {
    of: Deterministic,
    /// Since the run began.
    elapsed: Duration,
    random: Keystream,
    /// Who sleeps until when. The number tells apart two of the same moment.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    sleeps: u64,
}

impl Sources {
    pub(crate) fn new(deterministic: Option<Deterministic>, started: Instant) -> Sources {
        match deterministic {
            None => Sources::Host { started },
            Some(of) => Sources::Made(Made::new(of)),
        }
    }

    /// The time on a clock.
    pub(crate) fn now(&self, clock: GuestClock) -> Duration {
        match (self, clock) {
            (Sources::Host { .. }, GuestClock::Realtime) => {
                SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
            }
            (Sources::Host { started }, GuestClock::Monotonic) => started.elapsed(),
            (Sources::Made(made), clock) => made.now(clock),
        }
    }

    /// The made-up time; none where time is the host's.
    pub(crate) fn made(&self) -> Option<&Made> {
        match self {
            Sources::Host { .. } => None,
            Sources::Made(made) => Some(made),
        }
    }

    /// Fills a buffer with random bytes.
    pub(crate) fn fill(&self, mut left: &mut [u8]) -> Result<()> {
        match self {
            Sources::Host { .. } => {
                while !left.is_empty() {
                    let filled = rustix::rand::getrandom(&mut *left, rustix::rand::GetRandomFlags::empty())
                        .map_err(Errno::from)?;
                    left = &mut left[filled..];
                }
            }
            Sources::Made(made) => made.0.lock().random.fill(left),
        }
        Ok(())
    }
}

impl Made {
    fn new(of: Deterministic) -> Made {
        let (elapsed, random) = (Duration::ZERO, Keystream::new(of.seed));
        Made(Share::new(Course { of, elapsed, random, sleepers: BTreeMap::new(), sleeps: 0 }))
    }

    fn now(&self, clock: GuestClock) -> Duration {
        let mut course = self.0.lock();
        let (elapsed, of) = (course.elapsed, course.of);
        course.elapsed = elapsed.saturating_add(of.step);
        match clock {
            GuestClock::Realtime => of.start.saturating_add(elapsed),
            GuestClock::Monotonic => elapsed,
        }
    }

    /// How much of it is over since the run began. Looking here moves nothing.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.lock().elapsed
    }

    /// Lets time go by.
    pub(crate) fn pass(&self, time: Duration) {
        let mut course = self.0.lock();
        course.elapsed = course.elapsed.saturating_add(time);
    }

    /// Completes when that much is over since the run began, which is as soon as nobody sleeps for less.
    pub(crate) fn sleep_until(&self, at: Duration) -> MadeSleep {
        MadeSleep { made: self.clone(), at, place: None }
    }
}

/// Sleeping where time is made up. Nobody waits: once all who sleep have been heard, it is the time of the first.
pub(crate) struct MadeSleep {
    made: Made,
    at: Duration,
    place: Option<(Duration, u64)>,
}

impl Future for MadeSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let made = self.made.clone();
        let mut course = made.0.lock();
        if course.elapsed >= self.at {
            return Poll::Ready(());
        }
        let Some(place) = self.place else {
            course.sleeps += 1;
            let place = (self.at, course.sleeps);
            course.sleepers.insert(place, cx.waker().clone());
            self.place = Some(place);
            // Others may be about to sleep: this one looks again after them.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        };
        let is_first = course.sleepers.first_key_value().is_none_or(|((first, _), _)| self.at <= *first);
        if is_first {
            course.elapsed = self.at;
            return Poll::Ready(());
        }
        course.sleepers.insert(place, cx.waker().clone());
        Poll::Pending
    }
}

impl Drop for MadeSleep {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut course = self.made.0.lock();
        course.sleepers.remove(&place);
        if let Some((_, next)) = course.sleepers.first_key_value() {
            next.wake_by_ref();
        }
    }
}

/// Bytes that follow from a seed: SHA-256 of the seed and the number of each block.
struct Keystream {
    seed: u64,
    blocks: u64,
    block: [u8; 32],
    used: usize,
}

impl Keystream {
    fn new(seed: u64) -> Keystream {
        Keystream { seed, blocks: 0, block: [0; 32], used: 32 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                let hash = Sha256::new().chain_update(self.seed.to_le_bytes());
                self.block = hash.chain_update(self.blocks.to_le_bytes()).finalize().into();
                self.blocks += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(seed: u64) -> Sources {
        Sources::new(Some(Deterministic { seed, ..Deterministic::default() }), Instant::now())
    }

    #[test]
    fn random_bytes_follow_from_the_seed_however_they_are_asked_for() {
        let (mut one, mut other) = ([0; 100], [0; 100]);
        let sources = made(7);
        one.chunks_mut(7).for_each(|part| sources.fill(part).expect("bytes"));
        made(7).fill(&mut other).expect("bytes");
        assert_eq!(one, other);
        made(8).fill(&mut other).expect("bytes");
        assert_ne!(one, other);
    }

    #[test]
    fn each_reading_moves_both_clocks_by_a_step() {
        let sources = made(0);
        let micros = [GuestClock::Realtime, GuestClock::Monotonic, GuestClock::Monotonic]
            .map(|clock| sources.now(clock).as_micros());
        assert_eq!(micros, [0, 1, 2]);
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_moments_and_time_goes_no_further() {
        let Sources::Made(made) = made(0) else { panic!("made up") };
        let sleep = |millis| made.sleep_until(Duration::from_millis(millis));
        let mut sleeps = [sleep(20), sleep(10), sleep(10)];
        let mut poll = || {
            let mut cx = Context::from_waker(Waker::noop());
            sleeps.each_mut().map(|sleep| Pin::new(sleep).poll(&mut cx).is_ready())
        };
        assert_eq!(poll(), [false, false, false]);
        assert_eq!(poll(), [false, true, true]);
        assert_eq!(made.elapsed(), Duration::from_millis(10));
        drop(sleeps);
        crate::block_on::block_on(sleep(30));
        assert_eq!(made.elapsed(), Duration::from_millis(30));
    }
}
