//! Modules that make a program, and their instances.

use std::sync::Arc;

use wasmtime::{Instance, Linker, Store};

use super::check::check;
use super::error::{Chain, LinkError};
use super::order::{Found, Order};
use crate::guest::Guest;
use crate::run::Failure;
use crate::{load, module};

/// Modules that make a program, each after those it imports from.
pub(crate) struct Assembly {
    /// Those that the entry module imports from, directly or not.
    libraries: Vec<Part>,
    entry: Arc<wasmtime::Module>,
    host: Linker<Guest>,
}

/// One module of a program but the entry module.
struct Part {
    name: String,
    module: Arc<wasmtime::Module>,
}

impl Assembly {
    /// Checks that what each imports is there.
    pub(super) fn new(order: Order, host: &Linker<Guest>) -> Result<Assembly, LinkError> {
        for (index, part) in order.parts.iter().enumerate() {
            check(part, &order.parts[..index], host)?;
        }
        let mut libraries = order.parts;
        // The search ends with it.
        let Some(entry) = libraries.pop() else { return Err(LinkError::Loop { chain: Chain::default() }) };
        if module::entry_points(&entry.module).next().is_none() {
            return Err(LinkError::Load { chain: entry.chain, error: load::Error::NoEntryPoint });
        }
        let mut host = host.clone();
        // A module that was given is meant, whatever else has its name.
        host.allow_shadowing(true);
        let libraries =
            libraries.into_iter().map(|Found { name, module, .. }| Part { name, module }).collect();
        Ok(Assembly { libraries, entry: entry.module, host })
    }

    pub(crate) fn entry(&self) -> &wasmtime::Module {
        &self.entry
    }

    /// Instantiates all of them; the entry module's instance.
    pub(crate) async fn instantiate(&self, store: &mut Store<Guest>) -> Result<Instance, Failure> {
        let mut linker = self.host.clone();
        for Part { name, module } in &self.libraries {
            let instance = linker.instantiate_async(&mut *store, module).await.map_err(Failure::of_start)?;
            if let Some(name) = module::initializer(module, "")
                && let Some(initialize) = instance.get_func(&mut *store, name)
            {
                module::call(store, initialize).await.map_err(Failure::Call)?;
            }
            linker.instance(&mut *store, name, instance).map_err(Failure::Start)?;
        }
        linker.instantiate_async(store, &self.entry).await.map_err(Failure::of_start)
    }
}
