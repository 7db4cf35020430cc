//! Ending, giving way, and randomness.

use tokio::task::yield_now;
use wasmtime::{Caller, Linker};

use super::memory::{Span, View};
use super::{MODULE, Result, number, parts};
use crate::fs::Errno;
use crate::guest::Guest;
use crate::run::Exit;
use crate::sources::Sources;

/// Random bytes made between two looks at the run's limits.
const RANDOM_CHUNK_BYTES: u32 = 64 << 10;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |caller: Caller<'_, Guest>, code: i32| -> wasmtime::Result<()> {
            Err(Exit(code).into_error(&caller.data().quiet))
        },
    )?;
    // No guest has another to raise a signal at, nor a handler for its own.
    linker.func_wrap(MODULE, "proc_raise", |_signal: u32| number(Err(Errno::NotSup)))?;
    linker.func_wrap_async(MODULE, "sched_yield", |_: Caller<'_, Guest>, (): ()| {
        Box::new(async {
            yield_now().await;
            number(Ok(()))
        })
    })?;
    linker.func_wrap_async(
        MODULE,
        "random_get",
        |mut caller: Caller<'_, Guest>, (at, len): (u32, u32)| {
            Box::new(async move {
                let mut done = 0;
                loop {
                    let (guest, mut view) = parts(&mut caller)?;
                    let chunk = Span { at: at.wrapping_add(done), len: (len - done).min(RANDOM_CHUNK_BYTES) };
                    if let Err(errno) = fill(&mut guest.sources, &mut view, chunk) {
                        return Ok(number(Err(errno)));
                    }
                    done += chunk.len;
                    if done == len {
                        return Ok::<_, wasmtime::Error>(number(Ok(())));
                    }
                    yield_now().await;
                }
            })
        },
    )?;
    Ok(())
}

fn fill(sources: &mut Sources, view: &mut View<'_>, span: Span) -> Result<()> {
    sources.fill(view.bytes_mut(span)?)
}
