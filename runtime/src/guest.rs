//! The host's side of one running guest.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use wasmtime::{Memory, Store, UpdateDeadline};
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::component::Holdings;
use crate::cpu::Cpu;
use crate::fs::{Mounts, Table};
use crate::limiter::Limiter;
use crate::module::Code;
use crate::network::{Gate, Outbound};
use crate::output::Output;
use crate::run::Stop;
use crate::share::Share;
use crate::sources::Sources;
use crate::stdin::Stdin;
use crate::{CancelToken, Error, Module, Quota, Sandbox, Terminals, fs};

/// Random bytes a component may ask for at once; they are made before it has any of them.
const RANDOM_BYTES_MAX: u64 = 16 << 20;

/// The host's side of one running guest: what its host functions work on.
pub(crate) struct Guest {
    pub(crate) args: Vec<String>,
    pub(crate) env: Zeroizing<Vec<String>>,
    pub(crate) stdin: Share<Stdin>,
    pub(crate) terminals: Terminals,
    pub(crate) output: Share<Output>,
    pub(crate) mounts: Mounts,
    /// What a module has open, by number.
    pub(crate) table: Table,
    /// What a component has, by handle.
    pub(crate) holdings: Holdings,
    pub(crate) gate: Gate,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) limiter: Limiter,
    pub(crate) clock: Clock,
    pub(crate) quiet: Arc<Store<()>>,
    pub(crate) code: Arc<Code>,
    /// Found at the first host call that needs it.
    pub(crate) memory: Option<Memory>,
    pub(crate) started: Instant,
    pub(crate) sources: Sources,
    /// Drawn when it is first asked for.
    hash_seed: Option<(u64, u64)>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cpu: Cpu,
    pub(crate) cpu_max: Option<Duration>,
    pub(crate) cancel: Option<CancelToken>,
    /// For the embedder's own functions.
    pub(crate) data: Option<Arc<dyn Any + Send + Sync>>,
    /// Whether a module is making room for what the host gives it: it cannot call for more meanwhile.
    pub(crate) makes_room: bool,
    /// Why the guest is being stopped, once it is.
    pub(crate) stopped: Option<Stop>,
}

impl Guest {
    pub(crate) fn new(module: &Module, sandbox: Sandbox) -> Result<Guest, Error> {
        let started = Instant::now();
        let quota = Quota::new(sandbox.limits.disk_bytes, sandbox.limits.disk_files);
        let preopens = fs::preopens(sandbox.mounts, &quota, &module.runtime.handles)?;
        let mounts = Mounts::of(&preopens);
        let (for_module, for_component) = match &*module.code {
            Code::Core(_) | Code::Assembly(_) => (preopens, Vec::new()),
            Code::Command(_) => (Vec::new(), preopens),
        };
        Ok(Guest {
            args: sandbox.args,
            env: sandbox.env,
            stdin: Share::new(sandbox.stdin),
            terminals: sandbox.terminals,
            output: Share::new(Output::new(&sandbox.limits, sandbox.sink, sandbox.filters)),
            mounts,
            table: Table::new(for_module, sandbox.limits.open_files),
            holdings: Holdings::new(
                for_component,
                sandbox.limits.open_files,
                module.runtime.handles.descriptors(),
            ),
            gate: Gate::new(sandbox.network, sandbox.listen),
            outbound: Arc::clone(&module.runtime.outbound),
            limiter: Limiter::new(&sandbox.limits, module.code.instance_bytes()),
            clock: module.runtime.clock.clone(),
            quiet: Arc::clone(&module.runtime.quiet),
            code: Arc::clone(&module.code),
            memory: None,
            started,
            sources: Sources::new(sandbox.deterministic, started),
            hash_seed: None,
            // A limit too far away to be a moment is none.
            deadline: sandbox.limits.wall_time.and_then(|limit| started.checked_add(limit)),
            cpu: Cpu::new(started),
            cpu_max: sandbox.limits.cpu_time,
            cancel: sandbox.cancel,
            data: sandbox.data,
            makes_room: false,
            stopped: None,
        })
    }

    /// Where this guest's sockets and requests live, if it is a component and may have any. Requests that a module has the
    /// host make find it by themselves.
    pub(crate) fn executor(&self) -> Option<Handle> {
        let may_have_any = !self.gate.is_closed() || self.gate.grants_sockets();
        if !matches!(*self.code, Code::Command(_)) || !may_have_any {
            return None;
        }
        self.outbound.executor().ok().cloned()
    }

    /// The environment as names and values.
    pub(crate) fn env_pairs(&self) -> Vec<(String, String)> {
        let split = |variable: &String| {
            let (name, value) = variable.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        self.env.iter().filter_map(split).collect()
    }

    /// Random bytes, as many as are asked for.
    pub(crate) fn random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_BYTES_MAX {
            let message =
                format!("{len} random bytes are asked for at once, and {RANDOM_BYTES_MAX} is the most");
            return Err(wasmtime::Error::msg(message));
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        self.sources.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(crate) fn random_u64(&mut self) -> wasmtime::Result<u64> {
        let mut bytes = [0; 8];
        self.sources.fill(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A seed for the guest's hash tables: the same however often it is asked for.
    pub(crate) fn hash_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        let seed = match self.hash_seed {
            Some(seed) => seed,
            None => (self.random_u64()?, self.random_u64()?),
        };
        Ok(*self.hash_seed.insert(seed))
    }

    /// Called from within the guest's code at every tick: stops it if it must stop, and otherwise gives way to
    /// whatever else runs on its thread.
    pub(crate) fn on_tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        // The clock decides and not the number of ticks, which come late on a busy machine.
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.stopped = Some(Stop::Deadline);
        } else if self.cancel.as_ref().is_some_and(CancelToken::is_cancelled) {
            self.stopped = Some(Stop::Cancelled);
        } else if self.cpu_max.is_some_and(|most| self.cpu.used_in_poll() >= most) {
            self.stopped = Some(Stop::CpuTime);
        }
        if self.stopped.is_some() {
            return Ok(UpdateDeadline::Interrupt);
        }
        // Tokio's own way to yield lets it look at its timers and sockets too; without tokio it is a plain one.
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }
}
