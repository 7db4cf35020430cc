//! Reading clocks.

use std::time::{Duration, Instant, SystemTime};

use wasmtime::{Caller, Linker};

use super::{MODULE, Result, call};
use crate::fs::Errno;
use crate::guest::Guest;

/// What is promised of both clocks; the host's are as fine as this.
const RESOLUTION_NANOS: u64 = 1;

/// The clocks a guest has. Preview 1's two clocks of CPU time are not there, which it says is `EINVAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    Realtime,
    /// Starts at zero with the run, so that it tells nothing about the host.
    Monotonic,
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_res_get", |mut caller: Caller<'_, Guest>, clock: u32, result: u32| {
        call(&mut caller, |_, view| {
            Clock::numbered(clock)?;
            view.write_u64(result, RESOLUTION_NANOS)
        })
    })?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, Guest>, clock: u32, _precision: u64, result: u32| {
            call(&mut caller, |guest, view| {
                view.write_u64(result, nanos(Clock::numbered(clock)?.now(guest.started)))
            })
        },
    )?;
    Ok(())
}

impl Clock {
    pub(super) fn numbered(number: u32) -> Result<Clock> {
        match number {
            0 => Ok(Clock::Realtime),
            1 => Ok(Clock::Monotonic),
            _ => Err(Errno::Inval),
        }
    }

    /// The time on this clock for a run that began at `started`.
    pub(super) fn now(self, started: Instant) -> Duration {
        match self {
            Clock::Realtime => SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default(),
            Clock::Monotonic => started.elapsed(),
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
