//! Several modules as one program: who imports from whom, found and checked before anything runs.

mod assembly;
mod check;
mod error;
mod files;
mod order;

use std::sync::Arc;

use crate::module::Code;
use crate::runtime::Shared;
use crate::{Module, Runtime, Sandbox, load};

pub(crate) use assembly::Assembly;
pub use error::{Chain, LinkError};
pub(crate) use order::MODULES_MAX;
use order::{Given, Order};

/// Several modules as one program: an entry module, and those it imports from.
///
/// What a module imports under a name is looked for, in this order, among the modules given here under exactly that
/// name, in WASI and the other functions of the host, and as a file at that path in the sandbox whose mounts were given.
/// Modules that are found so may import from others. Each is instantiated once, before those that import from it.
///
/// ```
/// use skrei_runtime::{Config, Ending, Runtime, Sandbox};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::new(Config::default())?;
/// let module = runtime
///     .linking()
///     .import("math", *br#"(module (func (export "twice") (param i32) (result i32)
///         (i32.mul (local.get 0) (i32.const 2))))"#)
///     .load(br#"(module
///         (import "math" "twice" (func $twice (param i32) (result i32)))
///         (func (export "_start") (if (i32.ne (call $twice (i32.const 21)) (i32.const 42)) (then unreachable))))"#)?;
/// assert_eq!(module.run_blocking(Sandbox::new())?.ending, Ending::Exited(0));
/// # Ok(())
/// # }
/// ```
///
/// A run's limits hold for all of them together: they share the memory, the tables and the stack of one guest.
#[derive(Debug)]
pub struct Linking<'a> {
    runtime: &'a Runtime,
    given: Vec<(String, Given)>,
    files: Option<&'a Sandbox>,
}

impl<'a> Linking<'a> {
    pub(crate) fn new(runtime: &'a Runtime) -> Linking<'a> {
        Linking { runtime, given: Vec::new(), files: None }
    }

    /// Gives a module under a name.
    pub fn import(mut self, name: impl Into<String>, wasm: impl Into<Vec<u8>>) -> Linking<'a> {
        self.given.push((name.into(), Given::Bytes(wasm.into())));
        self
    }

    /// Gives the module at a path in the sandbox, under exactly that path. A directory stands for the one `.wasm` file
    /// in it.
    pub fn import_file(mut self, path: impl Into<String>) -> Linking<'a> {
        self.given.push((path.into(), Given::File));
        self
    }

    /// Looks for further modules in what this sandbox has mounted.
    pub fn files(mut self, sandbox: &'a Sandbox) -> Linking<'a> {
        self.files = Some(sandbox);
        self
    }

    /// Checks and compiles the entry module and whatever it imports from, or finds them compiled already. Happens on the
    /// calling thread, as for [`Runtime::load`].
    ///
    /// # Errors
    /// Whatever is wrong with one of them, with the way from the entry module to it; see [`LinkError`].
    pub fn load(self, entry: &[u8]) -> Result<Module, LinkError> {
        let (shared, digest) = (self.runtime.shared(), Shared::digest(entry));
        let order = Order::of(shared, self.given, self.files, &digest, entry)?;
        let engine = shared.engines.on_demand().map_err(|message| LinkError::Load {
            chain: Chain::default(),
            error: load::Error::Compiler { message },
        })?;
        let code = Arc::new(Code::Assembly(Assembly::new(order, &engine.modules)?));
        Ok(Module::new(Arc::clone(shared), code, digest))
    }
}
