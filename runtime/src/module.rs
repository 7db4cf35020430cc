//! A compiled module or component, ready to run.

use std::sync::Arc;

use wasmtime::{Engine, ExternType, InstancePre, ModuleExport};

use crate::block_on::block_on;
use crate::component::Command;
use crate::guest::Guest;
use crate::runtime::Shared;
use crate::{Error, Outcome, Sandbox, load, run};

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
    Command(Command),
}

impl Code {
    pub(crate) fn engine(&self) -> &Engine {
        match self {
            Code::Core(core) => core.pre.module().engine(),
            Code::Command(command) => command.engine(),
        }
    }

    pub(crate) fn check_entry_point(&self, name: &str) -> Result<(), load::Error> {
        match self {
            Code::Core(core) => core.check_entry_point(name),
            Code::Command(command) => command.check_entry_point(name),
        }
    }

    /// The memory that preview 1's functions read and write.
    pub(crate) fn memory(&self) -> Option<&ModuleExport> {
        match self {
            Code::Core(core) => core.memory.as_ref(),
            Code::Command(_) => None,
        }
    }
}

/// A core module's code.
pub(crate) struct Core {
    pre: InstancePre<Guest>,
    memory: Option<ModuleExport>,
}

impl Core {
    pub(crate) fn new(pre: InstancePre<Guest>) -> Core {
        let memory = pre.module().get_export_index("memory");
        Core { pre, memory }
    }

    pub(crate) fn pre(&self) -> &InstancePre<Guest> {
        &self.pre
    }

    /// Every function a run could sensibly start at.
    pub(crate) fn entry_points(&self) -> impl Iterator<Item = &str> {
        let functions = self.pre.module().exports().filter(|export| is_entry_point(&export.ty()));
        functions.map(|export| export.name()).filter(|name| *name != INITIALIZE)
    }

    fn check_entry_point(&self, name: &str) -> Result<(), load::Error> {
        match self.pre.module().get_export(name) {
            None => {
                let candidates = self.entry_points().map(str::to_owned).collect();
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
    pub(crate) fn initializer(&self, entry_point: &str) -> Option<&'static str> {
        (entry_point != INITIALIZE && self.check_entry_point(INITIALIZE).is_ok()).then_some(INITIALIZE)
    }
}

fn is_entry_point(export: &ExternType) -> bool {
    matches!(export, ExternType::Func(function) if function.params().len() == 0)
}
