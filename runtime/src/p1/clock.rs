//! Reading clocks.

use wasmtime::{Caller, Linker};

use super::{MODULE, Result, call};
use crate::clock::nanos;
use crate::fs::Errno;
use crate::guest::Guest;
use crate::sources::GuestClock;

/// What is promised of both clocks; the host's are as fine as this.
const RESOLUTION_NANOS: u64 = 1;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(MODULE, "clock_res_get", |mut caller: Caller<'_, Guest>, clock: u32, result: u32| {
        call(&mut caller, |_, view| {
            numbered(clock)?;
            view.write_u64(result, RESOLUTION_NANOS)
        })
    })?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut caller: Caller<'_, Guest>, clock: u32, _precision: u64, result: u32| {
            call(&mut caller, |guest, view| {
                view.write_u64(result, nanos(guest.sources.now(numbered(clock)?)))
            })
        },
    )?;
    Ok(())
}

/// The clock of a number. Preview 1's two clocks of CPU time are not there, which it says is `EINVAL`.
pub(super) fn numbered(number: u32) -> Result<GuestClock> {
    match number {
        0 => Ok(GuestClock::Realtime),
        1 => Ok(GuestClock::Monotonic),
        _ => Err(Errno::Inval),
    }
}
