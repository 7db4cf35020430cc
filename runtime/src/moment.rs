//! What a guest waits for when it sleeps.

use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::guest::Guest;
use crate::sources::Made;

/// A moment a guest waits for.
pub(crate) enum Moment {
    Real(Clock, Instant),
    /// So long after the run began, where time is made up.
    Made(Made, Duration),
    /// Too far away to be one.
    Never,
}

impl Moment {
    /// So long from now, as the guest has it.
    pub(crate) fn after(guest: &Guest, wait: Duration) -> Moment {
        if let Some(made) = guest.sources.made() {
            return Moment::Made(made.clone(), made.elapsed().saturating_add(wait));
        }
        match Instant::now().checked_add(wait) {
            Some(when) => Moment::Real(guest.clock.clone(), when),
            None => Moment::Never,
        }
    }

    /// Completes when it has come. May be asked again.
    pub(crate) async fn come(&self) {
        match self {
            Moment::Real(clock, when) => clock.sleep_until(*when).await,
            Moment::Made(made, at) => made.sleep_until(*at).await,
            Moment::Never => std::future::pending().await,
        }
    }
}
