//! How long to wait before calling again.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(10);

/// Pauses between calls: each twice as long as the one before, up to ten seconds, and never all nodes at once.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    tries: u32,
}

impl Pause {
    /// The next pause. `spread` from 0 to 1 says where in its second half it ends.
    pub(crate) fn next(&mut self, spread: f64) -> Duration {
        let whole = FIRST.saturating_mul(2_u32.saturating_pow(self.tries)).min(LONGEST);
        self.tries += 1;
        whole.mul_f64(0.5 + spread.clamp(0.0, 1.0) / 2.0)
    }

    /// After a call that went well.
    pub(crate) fn reset(&mut self) {
        self.tries = 0;
    }
}

/// A number from 0 to 1 that differs from process to process and from call to call.
pub(crate) fn spread() -> f64 {
    let random = RandomState::new().hash_one(0_u8);
    f64::from((random >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_start_again() {
        let mut pause = Pause::default();
        let pauses: Vec<_> = (0..8).map(|_| pause.next(1.0).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        pause.reset();
        assert_eq!(pause.next(0.0), Duration::from_millis(100));
        assert!((0..100).map(|_| spread()).all(|spread| (0.0..=1.0).contains(&spread)));
    }
}
