//! Reading clocks, and waiting for a moment.

use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi_io::async_trait;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use crate::clock::nanos;
use crate::guest::Guest;
use crate::moment::Moment;
use crate::sources::GuestClock;

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
        let moment = Moment::after(self, wait);
        let table = &mut self.holdings.resources;
        let moment = table.push(moment)?;
        subscribe(table, moment)
    }
}

#[async_trait]
impl Pollable for Moment {
    async fn ready(&mut self) {
        self.come().await;
    }
}
