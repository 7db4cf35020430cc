//! One run, from a sandbox to its outcome.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use wasmtime::{PoolConcurrencyLimitError, Store, Val, WasmBacktrace};

use crate::clock::{Clock, Sleep};
use crate::guest::Guest;
use crate::module::Code;
use crate::outcome::{Trap, Usage};
use crate::{CancelToken, Ending, Error, Limit, Module, Outcome, Sandbox};

/// Why a run is stopped from outside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Deadline,
    Cancelled,
}

/// A guest's own exit, on its way through the guest's frames.
///
/// It travels with an empty backtrace, since the engine would otherwise walk the stack for one: half the cost
/// of a short run, for an exit that is no failure. Real traps keep theirs.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("exited with code {0}")]
pub(crate) struct Exit(pub(crate) i32);

impl Exit {
    pub(crate) fn into_error(self, quiet: &Store<()>) -> wasmtime::Error {
        wasmtime::Error::from(self).context(WasmBacktrace::capture(quiet))
    }
}

/// Runs a module once.
pub(crate) async fn run(module: &Module, sandbox: Sandbox) -> Result<Outcome, Error> {
    let Module { runtime, code, .. } = module;
    code.check_entry_point(&sandbox.entry_point)?;
    let entry_point = sandbox.entry_point.clone();
    let cancel = sandbox.cancel.clone();
    let guest = Guest::new(module, sandbox)?;
    let watch = Watch::new(runtime.clock.clone(), guest.deadline, cancel);

    let mut store = Store::new(&runtime.engine, guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| store.data_mut().on_tick());

    let ticking = runtime.clock.tick();
    let ended = watch.over(call(&mut store, code, &entry_point)).await;
    drop(ticking);

    let guest = store.data();
    let ending = match ended {
        Err(stop) => stop.ending(),
        Ok(Ok(())) => Ending::Exited(0),
        Ok(Err(failure)) => guest.ending(failure)?,
    };
    let usage = Usage {
        wall_time: guest.started.elapsed(),
        memory_bytes_peak: guest.limiter.memory_bytes_peak(),
        mounts: guest.table.usage(),
    };
    let (stdout, stderr) = store.into_data().output.into_captured();
    Ok(Outcome { ending, stdout, stderr, usage })
}

/// How a call failed: before the guest's code ran, or in it.
enum Failure {
    Start(wasmtime::Error),
    Call(wasmtime::Error),
}

async fn call(store: &mut Store<Guest>, code: &Code, entry_point: &str) -> Result<(), Failure> {
    let instance = code.pre().instantiate_async(&mut *store).await.map_err(Failure::Start)?;
    for name in code.initializer(entry_point).into_iter().chain([entry_point]) {
        // Both were checked to be exported functions.
        let Some(function) = instance.get_func(&mut *store, name) else { continue };
        let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
        function.call_async(&mut *store, &[], &mut results).await.map_err(Failure::Call)?;
    }
    Ok(())
}

impl Guest {
    /// What a failed call means: an ending, as far as it is the guest's.
    fn ending(&self, failure: Failure) -> Result<Ending, Error> {
        let (Failure::Start(error) | Failure::Call(error)) = &failure;
        if let Some(Exit(code)) = error.downcast_ref::<Exit>() {
            return Ok(Ending::Exited(*code));
        }
        if let Some(stop) = self.stopped {
            return Ok(stop.ending());
        }
        if self.limiter.memory_refused() {
            return Ok(Ending::HitLimit(Limit::Memory));
        }
        if let Some(wasmtime::Trap::StackOverflow) = error.downcast_ref() {
            return Ok(Ending::HitLimit(Limit::Stack));
        }
        match failure {
            Failure::Start(error) | Failure::Call(error) if error.is::<PoolConcurrencyLimitError>() => {
                Err(Error::Busy(error))
            }
            Failure::Start(error) if !error.is::<wasmtime::Trap>() => Err(Error::Start(error)),
            Failure::Start(error) | Failure::Call(error) => Ok(Ending::Trapped(Trap::new(&error))),
        }
    }
}

impl Trap {
    fn new(error: &wasmtime::Error) -> Trap {
        let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
        let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
            Some(name) => rustc_demangle::demangle(name).to_string(),
            None => format!("function {}", frame.func_index()),
        };
        Trap { what: error.root_cause().to_string(), backtrace: frames.iter().map(name).collect() }
    }
}

impl Stop {
    fn ending(self) -> Ending {
        match self {
            Stop::Deadline => Ending::HitLimit(Limit::WallTime),
            Stop::Cancelled => Ending::Cancelled,
        }
    }
}

/// Watches over a run while the guest waits or gives way. A guest that computes is stopped by
/// [`Guest::on_tick`].
struct Watch {
    clock: Clock,
    deadline: Option<Instant>,
    cancel: Option<CancelToken>,
    /// Made when the guest first gives way: most runs never do.
    waiting: Option<Waiting>,
}

struct Waiting {
    deadline: Option<Sleep>,
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Watch {
    fn new(clock: Clock, deadline: Option<Instant>, cancel: Option<CancelToken>) -> Watch {
        Watch { clock, deadline, cancel, waiting: None }
    }

    /// The run's own end, or why it was stopped; it is dropped then, which ends the guest.
    async fn over<T>(mut self, run: impl Future<Output = T>) -> Result<T, Stop> {
        let mut run = pin!(run);
        std::future::poll_fn(|cx| match run.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Ok(ended)),
            Poll::Pending => self.poll(cx).map(Err),
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Stop> {
        let Watch { clock, deadline, cancel, waiting } = self;
        let waiting = waiting.get_or_insert_with(|| Waiting {
            deadline: deadline.map(|deadline| clock.sleep_until(deadline)),
            cancelled: cancel.as_ref().map(|token| Box::pin(token.cancelled()) as _),
        });
        if let Some(deadline) = &mut waiting.deadline
            && Pin::new(deadline).poll(cx).is_ready()
        {
            return Poll::Ready(Stop::Deadline);
        }
        if let Some(cancelled) = &mut waiting.cancelled
            && cancelled.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Stop::Cancelled);
        }
        Poll::Pending
    }
}
