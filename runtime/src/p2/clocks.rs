//! Reading clocks, and waiting for a moment.

use std::time::{Duration, Instant};

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use crate::clock::Clock;
use crate::guest::Guest;
use crate::sources::{GuestClock, Made};

/// What is promised of both clocks; the host's are as fine as this.
const RESOLUTION_NANOS: u32 = 1;

impl wall_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = self.sources.now(GuestClock::Realtime);
        Ok(wall_clock::Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: RESOLUTION_NANOS })
    }
}

impl monotonic_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(nanos(self.sources.now(GuestClock::Monotonic)))
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION_NANOS.into())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let now = self.sources.now(GuestClock::Monotonic);
        self.subscribe_to(Duration::from_nanos(when).saturating_sub(now))
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_to(Duration::from_nanos(duration))
    }
}

impl Guest {
    fn subscribe_to(&mut self, wait: Duration) -> wasmtime::Result<Resource<DynPollable>> {
        let moment = match self.sources.made() {
            Some(made) => Moment::Made(made.clone(), made.elapsed().saturating_add(wait)),
            // A moment too far away to be one never comes.
            None => match Instant::now().checked_add(wait) {
                Some(when) => Moment::Real(self.clock.clone(), when),
                None => Moment::Never,
            },
        };
        let table = &mut self.holdings.resources;
        let moment = table.push(moment)?;
        subscribe(table, moment)
    }
}

/// What a guest waits for.
enum Moment {
    Real(Clock, Instant),
    /// So long after the run began, where time is made up.
    Made(Made, Duration),
    Never,
}

#[async_trait]
impl Pollable for Moment {
    async fn ready(&mut self) {
        match self {
            Moment::Real(clock, when) => clock.sleep_until(*when).await,
            Moment::Made(made, at) => made.sleep_until(*at).await,
            Moment::Never => std::future::pending().await,
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
