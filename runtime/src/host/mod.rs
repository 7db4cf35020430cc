//! Functions of the embedder's own, beside those of WASI.

mod call;
mod function;

use std::sync::Arc;

use wasmtime::Linker;

use crate::Error;
use crate::guest::Guest;

pub use call::{HostCall, HostError};
use function::sealed::Imports;
pub use function::{HostFunction, HostResult, HostValue};

type Define = Box<dyn Fn(&mut Linker<Guest>) -> wasmtime::Result<()> + Send + Sync>;

/// Functions that guests may import beside those of WASI: closures over numbers, each under a module's and its own name.
///
/// ```
/// use skrei_runtime::{Config, Ending, HostCall, HostFunctions, Runtime, Sandbox};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let functions = HostFunctions::new().add("math", "twice", |_: &mut HostCall<'_>, number: i32| Ok(number * 2));
/// let runtime = Runtime::with_host_functions(Config::default(), functions)?;
/// let module = runtime.load(br#"(module
///     (import "math" "twice" (func $twice (param i32) (result i32)))
///     (func (export "_start") (if (i32.ne (call $twice (i32.const 21)) (i32.const 42)) (then unreachable))))"#)?;
/// assert_eq!(module.run_blocking(Sandbox::new())?.ending, Ending::Exited(0));
/// # Ok(())
/// # }
/// ```
///
/// A function runs on the guest's thread and in its turn. While it runs, no limit on time is looked at: one that waits
/// should wait for little.
#[derive(Default)]
pub struct HostFunctions(Vec<(String, String, Define)>);

impl HostFunctions {
    /// None.
    pub fn new() -> HostFunctions {
        HostFunctions::default()
    }

    /// Adds a function with up to six parameters. It gives a number or nothing, or a [`HostError`], which ends the guest.
    pub fn add<P, R>(
        mut self,
        module: impl Into<String>,
        name: impl Into<String>,
        function: impl HostFunction<P, R>,
    ) -> HostFunctions {
        let (module, name) = (module.into(), name.into());
        let (import, export) = (module.clone(), name.clone());
        let function = Arc::new(function);
        let define: Define =
            Box::new(move |linker| Arc::clone(&function).define(&mut Imports(linker), &import, &export));
        self.0.push((module, name, define));
        self
    }

    /// Whether one of them is of this module.
    pub(crate) fn has_module(&self, name: &str) -> bool {
        self.0.iter().any(|(module, _, _)| module == name)
    }

    pub(crate) fn define(&self, linker: &mut Linker<Guest>) -> Result<(), Error> {
        for (module, name, define) in &self.0 {
            // The one thing that can be wrong: the name is taken.
            let taken = |_| Error::HostFunction { module: module.clone(), name: name.clone() };
            define(linker).map_err(taken)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(module, name, _)| (module, name))).finish()
    }
}
