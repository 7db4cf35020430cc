//! The engine and all that runs share.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use wasmtime::Store;

use crate::cache::Cache;
use crate::clock::{Clock, Closer};
use crate::compile::Compiler;
use crate::engine::Engines;
use crate::fs::{Descriptors, Handles};
use crate::link::Linking;
use crate::module::Code;
use crate::network::Outbound;
use crate::turns::Turns;
use crate::{Config, Error, HostFunctions, Module, engine, load, p1, requests};

/// The engine, its compiled modules and its clock. Cheap to clone; one per process is enough.
#[derive(Clone)]
pub struct Runtime {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engines: Arc<Engines>,
    pub(crate) clock: Clock,
    pub(crate) turns: Turns,
    /// Which files the guests have open.
    pub(crate) handles: Arc<Handles>,
    /// The guests' way to the network.
    pub(crate) outbound: Arc<Outbound>,
    /// A store in which nothing runs; see [`crate::run::Exit`].
    pub(crate) quiet: Arc<Store<()>>,
    compiler: Compiler,
    cache: Cache<Code>,
    /// Modules that are linked with others.
    pub(crate) parts: Cache<wasmtime::Module>,
    config: Config,
    _closer: Closer,
}

impl Runtime {
    /// Sets up the engine and starts the thread that keeps time. Takes a few milliseconds.
    ///
    /// # Errors
    /// [`Error::Engine`] if the configuration cannot be had on this host, [`Error::Clock`] if there is no
    /// thread to be had, [`Error::CodeDir`] if the directory of compiled code cannot be used.
    pub fn new(config: Config) -> Result<Runtime, Error> {
        Runtime::with_host_functions(config, HostFunctions::new())
    }

    /// The same, with functions of the embedder's own that guests may import.
    ///
    /// # Errors
    /// As for [`new`](Self::new), and [`Error::HostFunction`] if a name is given twice.
    pub fn with_host_functions(config: Config, functions: HostFunctions) -> Result<Runtime, Error> {
        let engines = Arc::new(Engines::new(&config, functions)?);
        let ticked = Arc::downgrade(&engines);
        let tick = move || {
            if let Some(engines) = ticked.upgrade() {
                engines.tick();
            }
        };
        let clock = Clock::start(config.tick, tick).map_err(Error::Clock)?;
        let quiet = engine::quiet_store().map_err(Error::Engine)?;
        let compiler = Compiler::new(&config)?;
        let cache = Cache::new(config.modules_cached);
        let parts = Cache::new(config.modules_cached);
        let turns = Turns::new(config.guests_max, config.guests_queued_max, config.computing_max);
        let closer = Closer(clock.clone());
        let handles = Arc::new(Handles::new(Descriptors::new(config.open_files_max)));
        let quiet = Arc::new(quiet);
        let outbound = Arc::new(Outbound::new(config.tls_roots.clone()));
        let shared = Shared {
            engines,
            clock,
            turns,
            handles,
            outbound,
            quiet,
            compiler,
            cache,
            parts,
            config,
            _closer: closer,
        };
        Ok(Runtime { shared: Arc::new(shared) })
    }

    /// Checks and compiles a module or a component, in WebAssembly's binary or text format, or finds it compiled
    /// already.
    ///
    /// Compiling takes about a millisecond of CPU time per kilobyte and happens on the calling thread; finding
    /// costs one pass over the bytes. Calls with the same bytes at the same time compile once.
    ///
    /// # Errors
    /// Whatever is wrong with the module; see [`load::Error`].
    pub fn load(&self, wasm: &[u8]) -> Result<Module, load::Error> {
        let Shared { engines, compiler, cache, config, .. } = &*self.shared;
        let digest = Shared::digest(wasm);
        let code = cache
            .get(&digest, || load::compile(engines, compiler, &digest, wasm, config.module_bytes_max))?;
        Ok(Module::new(Arc::clone(&self.shared), code, digest))
    }

    /// Begins to link several modules to one program.
    pub fn linking(&self) -> Linking<'_> {
        Linking::new(self)
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// What names a module's bytes.
    pub(crate) fn digest(wasm: &[u8]) -> Arc<str> {
        hex(&Sha256::digest(wasm)).into()
    }

    /// Compiles a module that is linked with others.
    pub(crate) fn compile_part(&self, digest: &str, wasm: &[u8]) -> Result<wasmtime::Module, load::Error> {
        load::compile_part(&self.engines, &self.compiler, digest, wasm, self.config.module_bytes_max)
    }

    /// The largest module that is accepted.
    pub(crate) fn module_bytes_max(&self) -> usize {
        self.config.module_bytes_max
    }

    /// Whether the host has functions under this module's name.
    pub(crate) fn is_of_host(&self, module: &str) -> bool {
        matches!(module, p1::MODULE | p1::OLDER | requests::MODULE) || self.engines.has_function_of(module)
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
