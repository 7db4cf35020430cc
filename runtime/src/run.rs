//! One run, from a sandbox to its outcome.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use wasmtime::{Instance, Module as Compiled, Store, WasmBacktrace};

use crate::guest::Guest;
use crate::module::{self, Code};
use crate::outcome::{Trap, Usage};
use crate::runtime::Shared;
use crate::turns::Place;
use crate::watch::Watch;
use crate::{CancelToken, Ending, Error, Limit, Module, Outcome, Sandbox, names};

/// Why a run is stopped from outside the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Deadline,
    CpuTime,
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
pub(crate) async fn run(module: &Module, mut sandbox: Sandbox) -> Result<Outcome, Error> {
    let Module { runtime, code, .. } = module;
    code.check_entry_point(&sandbox.entry_point)?;
    let entry_point = std::mem::take(&mut sandbox.entry_point);
    let Some(_place) = place(runtime, sandbox.cancel.as_ref()).await? else {
        return Ok(Outcome::of_none(Ending::Cancelled));
    };
    let guest = Guest::new(module, sandbox)?;
    let watch = Watch::new(&guest, runtime.turns.asker());

    let mut store = Store::new(code.engine(), guest);
    store.limiter(|guest| &mut guest.limiter);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| store.data_mut().on_tick());

    let ticking = runtime.clock.tick();
    let ended = watch.over(call(&mut store, code, &entry_point)).await;
    drop(ticking);

    let guest = store.data();
    let ending = match ended {
        Err(stop) => stop.ending(),
        Ok(Ok(code)) => Ending::Exited(code),
        Ok(Err(failure)) => guest.ending(failure)?,
    };
    let usage = Usage {
        wall_time: guest.started.elapsed(),
        cpu_time: guest.cpu.used(),
        memory_bytes_peak: guest.limiter.memory_bytes_peak(),
        mounts: guest.mounts.usage(),
        network: guest.gate.usage(),
    };
    let (stdout, stderr) = guest.output.lock().take_captured();
    Ok(Outcome { ending, stdout, stderr, usage })
}

/// A place among the guests that exist; none if the run was cancelled before there was one.
async fn place(runtime: &Shared, cancel: Option<&CancelToken>) -> Result<Option<Place>, Error> {
    let mut place = pin!(runtime.turns.place());
    let mut cancelled = pin!(cancel.map(CancelToken::cancelled));
    poll_fn(|cx| {
        if let Poll::Ready(place) = place.as_mut().poll(cx) {
            return Poll::Ready(place.map(Some));
        }
        match cancelled.as_mut().as_pin_mut() {
            Some(cancelled) => cancelled.poll(cx).map(|()| Ok(None)),
            None => Poll::Pending,
        }
    })
    .await
}

/// How a call failed: before the guest's code ran, or in it.
pub(crate) enum Failure {
    Start(wasmtime::Error),
    Call(wasmtime::Error),
}

impl Failure {
    /// What an instance could not be made for: the guest's own code may have run by then, in a start function.
    pub(crate) fn of_start(error: wasmtime::Error) -> Failure {
        let backtrace = error.downcast_ref::<WasmBacktrace>();
        if backtrace.is_some_and(|backtrace| !backtrace.frames().is_empty()) || error.is::<Exit>() {
            Failure::Call(error)
        } else {
            Failure::Start(error)
        }
    }
}

async fn call(store: &mut Store<Guest>, code: &Code, entry_point: &str) -> Result<i32, Failure> {
    match code {
        Code::Core(core) => {
            let instance = core.pre().instantiate_async(&mut *store).await.map_err(Failure::of_start)?;
            call_module(store, instance, core.pre().module(), entry_point).await
        }
        Code::Assembly(assembly) => {
            let instance = assembly.instantiate(store).await?;
            call_module(store, instance, assembly.entry(), entry_point).await
        }
        Code::Command(command) => command.call(store).await,
    }
}

async fn call_module(
    store: &mut Store<Guest>,
    instance: Instance,
    module: &Compiled,
    entry_point: &str,
) -> Result<i32, Failure> {
    for name in module::initializer(module, entry_point).into_iter().chain([entry_point]) {
        // Both were checked to be exported functions.
        let Some(function) = instance.get_func(&mut *store, name) else { continue };
        module::call(store, function).await.map_err(Failure::Call)?;
    }
    Ok(0)
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
        if self.limiter.memory_refused() && died_for_want_of_memory(&failure) {
            return Ok(Ending::HitLimit(Limit::Memory));
        }
        if let Some(wasmtime::Trap::StackOverflow) = error.downcast_ref() {
            return Ok(Ending::HitLimit(Limit::Stack));
        }
        match failure {
            Failure::Start(error) if !error.is::<wasmtime::Trap>() => Err(Error::Start(error)),
            Failure::Start(error) | Failure::Call(error) => Ok(Ending::Trapped(Trap::new(&error))),
        }
    }
}

/// Whether a guest that was refused memory ended as programs do that cannot go on without: they abort, or write
/// to where they were given nothing. One that divides by zero later copes with the refusal.
fn died_for_want_of_memory(failure: &Failure) -> bool {
    match failure {
        Failure::Start(_) => true,
        Failure::Call(error) => matches!(
            error.downcast_ref(),
            Some(wasmtime::Trap::UnreachableCodeReached | wasmtime::Trap::MemoryOutOfBounds)
        ),
    }
}

impl Trap {
    fn new(error: &wasmtime::Error) -> Trap {
        let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
        let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
            Some(name) => names::function(name),
            None => format!("function {}", frame.func_index()),
        };
        Trap { what: error.root_cause().to_string(), backtrace: frames.iter().map(name).collect() }
    }
}

impl Stop {
    fn ending(self) -> Ending {
        match self {
            Stop::Deadline => Ending::HitLimit(Limit::WallTime),
            Stop::CpuTime => Ending::HitLimit(Limit::CpuTime),
            Stop::Cancelled => Ending::Cancelled,
        }
    }
}
