//! Where a guest's time and randomness come from.

use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::fs::{Errno, Result};

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

/// Time and randomness that are made up.
pub(crate) struct Made {
    of: Deterministic,
    /// Since the run began.
    elapsed: Duration,
    random: Keystream,
}

impl Sources {
    pub(crate) fn new(deterministic: Option<Deterministic>, started: Instant) -> Sources {
        match deterministic {
            None => Sources::Host { started },
            Some(of) => Sources::Made(Made { of, elapsed: Duration::ZERO, random: Keystream::new(of.seed) }),
        }
    }

    /// The time on a clock.
    pub(crate) fn now(&mut self, clock: GuestClock) -> Duration {
        match (self, clock) {
            (Sources::Host { .. }, GuestClock::Realtime) => {
                SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
            }
            (Sources::Host { started }, GuestClock::Monotonic) => started.elapsed(),
            (Sources::Made(made), clock) => {
                let elapsed = made.elapsed;
                made.pass(made.of.step);
                match clock {
                    GuestClock::Realtime => made.of.start.saturating_add(elapsed),
                    GuestClock::Monotonic => elapsed,
                }
            }
        }
    }

    /// The made-up time; none where time is the host's.
    pub(crate) fn made(&mut self) -> Option<&mut Made> {
        match self {
            Sources::Host { .. } => None,
            Sources::Made(made) => Some(made),
        }
    }

    /// Fills a buffer with random bytes.
    pub(crate) fn fill(&mut self, mut left: &mut [u8]) -> Result<()> {
        match self {
            Sources::Host { .. } => {
                while !left.is_empty() {
                    let filled = rustix::rand::getrandom(&mut *left, rustix::rand::GetRandomFlags::empty())
                        .map_err(Errno::from)?;
                    left = &mut left[filled..];
                }
            }
            Sources::Made(made) => made.random.fill(left),
        }
        Ok(())
    }
}

impl Made {
    /// How much of it is over since the run began. Looking here moves nothing.
    pub(crate) fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Lets time go by.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.elapsed = self.elapsed.saturating_add(time);
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
        let mut sources = made(7);
        one.chunks_mut(7).for_each(|part| sources.fill(part).expect("bytes"));
        made(7).fill(&mut other).expect("bytes");
        assert_eq!(one, other);
        made(8).fill(&mut other).expect("bytes");
        assert_ne!(one, other);
    }

    #[test]
    fn each_reading_moves_both_clocks_by_a_step() {
        let mut sources = made(0);
        let micros = [GuestClock::Realtime, GuestClock::Monotonic, GuestClock::Monotonic]
            .map(|clock| sources.now(clock).as_micros());
        assert_eq!(micros, [0, 1, 2]);
    }
}
