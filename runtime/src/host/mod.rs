//! Functions of the embedder's own, beside those of WASI.

mod call;
mod flat;
mod function;
mod install;
mod interface;

use std::sync::Arc;

use wasmtime::Linker;
use wasmtime::component::{self, LinkerInstance};

use crate::Error;
use crate::guest::Guest;

pub use call::{HostCall, HostError};
use function::sealed::Imports;
pub use function::{HostFunction, HostResult, HostValue};
pub use install::InstallError;
use interface::sealed::Interface;
pub use interface::{InterfaceCall, InterfaceFunction, InterfaceResult, InterfaceValue};

type Define = Box<dyn Fn(&mut Linker<Guest>) -> wasmtime::Result<()> + Send + Sync>;
type DefineIn = Box<dyn Fn(&mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> + Send + Sync>;

/// One function of an interface, for either kind of guest.
struct OfInterface {
    interface: String,
    name: String,
    in_components: DefineIn,
    in_modules: Define,
}

/// Functions that guests may import beside those of WASI. Core modules import closures over numbers, each under a
/// module's and its own name:
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
/// Functions of an interface ([`add_to_interface`](Self::add_to_interface)) give and take values rather than addresses.
/// Components import them, and modules as well.
#[derive(Default)]
pub struct HostFunctions {
    of_modules: Vec<(String, String, Define)>,
    of_interfaces: Vec<OfInterface>,
}

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
        self.of_modules.push((module, name, define));
        self
    }

    /// Whether one of them is of this module.
    pub(crate) fn has_module(&self, name: &str) -> bool {
        let of_interfaces = self.of_interfaces.iter().map(|function| &function.interface);
        self.of_modules.iter().map(|(module, _, _)| module).chain(of_interfaces).any(|module| module == name)
    }

    /// Adds a function to an interface that guests import, such as `acme:shop/counter@1.0.0`, under its name in WIT.
    ///
    /// ```
    /// use skrei_runtime::{Config, HostFunctions, InterfaceCall, Runtime};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // interface counter { count: func(what: string) -> result<u32, string>; }
    /// let count = |_: &mut InterfaceCall<'_>, what: String| match what.as_str() {
    ///     "apples" => Ok(Ok(3_u32)),
    ///     _ => Ok(Err(format!("no {what} are counted here"))),
    /// };
    /// let functions = HostFunctions::new().add_to_interface("acme:shop/counter@1.0.0", "count", count);
    /// let runtime = Runtime::with_host_functions(Config::default(), functions)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A component whose import has other types is refused when it is loaded.
    ///
    /// A module imports the function from a module called as the interface, by the component model's canonical ABI: as
    /// tools that make bindings from WIT (`wit-bindgen`) have it do, or by hand. Texts and lists it is given lie where its
    /// export `cabi_realloc` makes room; without one it cannot be given any, except that an error is without its words.
    pub fn add_to_interface<P, R>(
        mut self,
        interface: impl Into<String>,
        name: impl Into<String>,
        function: impl InterfaceFunction<P, R>,
    ) -> HostFunctions {
        let (interface, name) = (interface.into(), name.into());
        let function = Arc::new(function);
        let (import, in_component) = (name.clone(), Arc::clone(&function));
        let in_components: DefineIn =
            Box::new(move |instance| Arc::clone(&in_component).define(&mut Interface(instance), &import));
        let (module, import) = (interface.clone(), name.clone());
        let in_modules: Define =
            Box::new(move |linker| Arc::clone(&function).define_flat(&mut Imports(linker), &module, &import));
        self.of_interfaces.push(OfInterface { interface, name, in_components, in_modules });
        self
    }

    pub(crate) fn define(
        &self,
        modules: &mut Linker<Guest>,
        components: &mut component::Linker<Guest>,
    ) -> Result<(), Error> {
        // The one thing that can be wrong: the name is taken, or is none.
        let taken = |module: &str, name: &str| Error::HostFunction {
            module: module.to_owned(),
            name: name.to_owned(),
        };
        for (module, name, define) in &self.of_modules {
            define(modules).map_err(|_| taken(module, name))?;
        }
        for OfInterface { interface, name, in_components, in_modules } in &self.of_interfaces {
            let instance = components.instance(interface);
            let defined = instance.and_then(|mut instance| in_components(&mut instance));
            defined.and_then(|()| in_modules(modules)).map_err(|_| taken(interface, name))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for HostFunctions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of_modules = self.of_modules.iter().map(|(module, name, _)| (module, name));
        let of_interfaces = self.of_interfaces.iter().map(|function| (&function.interface, &function.name));
        f.debug_list().entries(of_modules.chain(of_interfaces)).finish()
    }
}
