//! Modules that make a program, and their instances.

use std::sync::Arc;

use wasmtime::{ExternType, Instance, Linker, Store, UnknownImportError};

use super::error::{Chain, LinkError};
use super::order::{Found, Order};
use crate::guest::Guest;
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
    pub(crate) async fn instantiate(&self, store: &mut Store<Guest>) -> wasmtime::Result<Instance> {
        let mut linker = self.host.clone();
        for Part { name, module } in &self.libraries {
            let instance = linker.instantiate_async(&mut *store, module).await?;
            if let Some(name) = module::initializer(module, "")
                && let Some(initialize) = instance.get_func(&mut *store, name)
            {
                module::call(store, initialize).await?;
            }
            linker.instance(&mut *store, name, instance)?;
        }
        linker.instantiate_async(store, &self.entry).await
    }
}

/// Checks what a module imports, from modules and from the host.
fn check(part: &Found, earlier: &[Found], host: &Linker<Guest>) -> Result<(), LinkError> {
    let chain = &part.chain;
    let mut linker = host.clone();
    linker.allow_shadowing(true);
    for import in part.module.imports() {
        let Some(from) = earlier.iter().rfind(|earlier| earlier.name == import.module()) else { continue };
        let (wanted, found) = (import.ty(), from.module.get_export(import.name()));
        let fits = match (&wanted, &found) {
            (ExternType::Func(wanted), Some(ExternType::Func(found))) => found.matches(wanted),
            (ExternType::Global(_), Some(ExternType::Global(_)))
            | (ExternType::Memory(_), Some(ExternType::Memory(_)))
            | (ExternType::Table(_), Some(ExternType::Table(_)))
            | (ExternType::Tag(_), Some(ExternType::Tag(_))) => true,
            _ => false,
        };
        if !fits {
            return Err(LinkError::Export {
                chain: chain.clone(),
                module: import.module().to_owned(),
                name: import.name().to_owned(),
                wanted: load::describe(&wanted),
                found: found
                    .map_or_else(|| "nothing of that name".to_owned(), |found| load::describe(&found)),
            });
        }
        if let ExternType::Func(function) = wanted {
            // Never called: only there so that the host's functions can be checked.
            let stub = linker.func_new(import.module(), import.name(), function, |_, _, _| Ok(()));
            stub.map(drop).map_err(|error| wrong(chain, &error))?;
        }
    }
    match linker.instantiate_pre(&part.module) {
        Ok(_) => Ok(()),
        // Memories, tables and globals are there once their modules are.
        Err(error)
            if error
                .downcast_ref::<UnknownImportError>()
                .is_some_and(|unknown| earlier.iter().any(|earlier| earlier.name == unknown.module())) =>
        {
            Ok(())
        }
        Err(error) => Err(wrong(chain, &error)),
    }
}

fn wrong(chain: &Chain, error: &wasmtime::Error) -> LinkError {
    LinkError::Load { chain: chain.clone(), error: load::import_error(error) }
}
