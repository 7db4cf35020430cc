//! A compiled module or component, ready to run.

use std::sync::Arc;

use wasmtime::{Engine, ExternType, Func, InstancePre, ModuleExport, Store, Val};

use crate::block_on::block_on;
use crate::component::Command;
use crate::guest::Guest;
use crate::link::Assembly;
use crate::runtime::Shared;
use crate::{Error, Outcome, Sandbox, load, run};

/// By WASI's convention, where a program starts.
const START: &str = "_start";

/// By WASI's convention, a library's set-up.
const INITIALIZE: &str = "_initialize";

/// A compiled module or component, ready to run any number of times and on any number of threads. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    pub(crate) runtime: Arc<Shared>,
    pub(crate) code: Arc<Code>,
    digest: Arc<str>,
}

impl Module {
    pub(crate) fn new(runtime: Arc<Shared>, code: Arc<Code>, digest: Arc<str>) -> Module {
        Module { runtime, code, digest }
    }

    /// The SHA-256 of the bytes it was loaded from, as 64 lower-case hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Checks that a run could start at `name`, which is what [`run`](Self::run) does first.
    ///
    /// # Errors
    /// [`load::Error::EntryPointMissing`] or [`load::Error::EntryPointType`].
    pub fn check_entry_point(&self, name: &str) -> Result<(), load::Error> {
        self.code.check_entry_point(name)
    }

    /// Runs the module once in a sandbox.
    ///
    /// The guest computes on the thread that polls the future and gives way every tick
    /// ([`Config::tick`](crate::Config::tick)); it occupies that thread meanwhile, so run guests on threads of
    /// their own. Dropping the future ends the guest.
    ///
    /// # Errors
    /// Only what is not the guest's doing; see [`Error`].
    pub async fn run(&self, sandbox: Sandbox) -> Result<Outcome, Error> {
        run::run(self, sandbox).await
    }

    /// Runs the module once in a sandbox, on the current thread and without an executor.
    ///
    /// A standard input that needs an executor (such as tokio's) is polled here and woken from there.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn run_blocking(&self, sandbox: Sandbox) -> Result<Outcome, Error> {
        block_on(self.run(sandbox))
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Module").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// What compiling gave: code with its imports resolved.
pub(crate) enum Code {
    Core(Core),
    Assembly(Assembly),
    Command(Command),
}

impl Code {
    pub(crate) fn engine(&self) -> &Engine {
        match self {
            Code::Core(core) => core.pre.module().engine(),
            Code::Assembly(assembly) => assembly.entry().engine(),
            Code::Command(command) => command.engine(),
        }
    }

    pub(crate) fn check_entry_point(&self, name: &str) -> Result<(), load::Error> {
        match self {
            Code::Core(core) if core.starts && name == START => Ok(()),
            Code::Core(core) => check_entry_point(core.pre.module(), name),
            Code::Assembly(assembly) => check_entry_point(assembly.entry(), name),
            Code::Command(command) => command.check_entry_point(name),
        }
    }

    /// What an instance takes of the host's memory beside the guest's own, as far as there is more than one of a kind.
    pub(crate) fn instance_bytes(&self) -> u64 {
        match self {
            // One of each, all of which were looked at when they were loaded.
            Code::Core(_) | Code::Assembly(_) => 0,
            Code::Command(command) => command.instance_bytes(),
        }
    }

    /// The memory that preview 1's functions read and write, if it is the same whoever calls.
    pub(crate) fn memory(&self) -> Option<&ModuleExport> {
        match self {
            Code::Core(core) => core.memory.as_ref(),
            Code::Assembly(_) | Code::Command(_) => None,
        }
    }
}

/// A core module's code.
pub(crate) struct Core {
    pre: InstancePre<Guest>,
    memory: Option<ModuleExport>,
    /// Whether it can start at [`START`], where nearly every run does.
    starts: bool,
}

impl Core {
    pub(crate) fn new(pre: InstancePre<Guest>) -> Core {
        let memory = pre.module().get_export_index("memory");
        let starts = can_start_at(pre.module(), START);
        Core { pre, memory, starts }
    }

    pub(crate) fn pre(&self) -> &InstancePre<Guest> {
        &self.pre
    }
}

/// Every function a run could sensibly start at.
pub(crate) fn entry_points(module: &wasmtime::Module) -> impl Iterator<Item = &str> {
    let functions = module.exports().filter(|export| is_entry_point(&export.ty()));
    functions.map(|export| export.name()).filter(|name| *name != INITIALIZE)
}

fn check_entry_point(module: &wasmtime::Module, name: &str) -> Result<(), load::Error> {
    match module.get_export(name) {
        None => {
            let candidates = entry_points(module).map(str::to_owned).collect();
            Err(load::Error::EntryPointMissing { name: name.to_owned(), candidates })
        }
        Some(export) if is_entry_point(&export) => Ok(()),
        Some(export) => {
            let found = load::describe(&export);
            Err(load::Error::EntryPointType { name: name.to_owned(), found })
        }
    }
}

/// What must be called before `entry_point`: a library's (a reactor's) own set-up.
pub(crate) fn initializer(module: &wasmtime::Module, entry_point: &str) -> Option<&'static str> {
    (entry_point != INITIALIZE && can_start_at(module, INITIALIZE)).then_some(INITIALIZE)
}

fn can_start_at(module: &wasmtime::Module, name: &str) -> bool {
    module.get_export(name).is_some_and(|export| is_entry_point(&export))
}

/// Calls a function without parameters.
pub(crate) async fn call(store: &mut Store<Guest>, function: Func) -> wasmtime::Result<()> {
    let mut results = vec![Val::I32(0); function.ty(&*store).results().len()];
    function.call_async(&mut *store, &[], &mut results).await
}

fn is_entry_point(export: &ExternType) -> bool {
    matches!(export, ExternType::Func(function) if function.params().len() == 0)
}
