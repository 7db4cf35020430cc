//! Reading clocks, and waiting for a moment.

use std::time::Duration;

use wasmtime::component::Accessor;
use wasmtime_wasi::p3::bindings::clocks::{monotonic_clock, system_clock, types};

use super::Own;
use crate::clock::nanos;
use crate::guest::Guest;
use crate::moment::Moment;
use crate::sources::GuestClock;

/// What is promised of both clocks; the host's are as fine as this.
const RESOLUTION_NANOS: u64 = 1;

impl types::Host for Guest {}

impl system_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<system_clock::Instant> {
        let now = self.sources.now(GuestClock::Realtime);
        Ok(system_clock::Instant { seconds: now.as_secs().try_into()?, nanoseconds: now.subsec_nanos() })
    }

    fn get_resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION_NANOS)
    }
}

impl monotonic_clock::Host for Guest {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(nanos(self.sources.now(GuestClock::Monotonic)))
    }

    fn get_resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(RESOLUTION_NANOS)
    }
}

impl<U> monotonic_clock::HostWithStore<U> for Own {
    async fn wait_until(store: &Accessor<U, Self>, when: u64) -> wasmtime::Result<()> {
        let moment = store.with(|mut store| {
            let guest = store.get();
            let now = guest.sources.now(GuestClock::Monotonic);
            Moment::after(guest, Duration::from_nanos(when).saturating_sub(now))
        });
        moment.come().await;
        Ok(())
    }

    async fn wait_for(store: &Accessor<U, Self>, time: u64) -> wasmtime::Result<()> {
        let moment = store.with(|mut store| Moment::after(store.get(), Duration::from_nanos(time)));
        moment.come().await;
        Ok(())
    }
}
