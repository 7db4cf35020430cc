//! A component that can be run: its code with its imports resolved.

use wasmtime::component::Component;
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings as p2;

use super::unmet;
use crate::engine::Linked;
use crate::guest::Guest;
use crate::load;
use crate::run::Failure;

/// What a run starts at by default, in a component as in a module.
const START: &str = "_start";

/// The interface by which a component can be run, without its version.
const RUN: &str = "wasi:cli/run@";

/// Live handles of one component, to what the host has for it or to its own: some 100 bytes of the host's memory each.
const HANDLES_MAX: usize = 100_000;

/// Bytes one call of a component may hand to the host, which copies them.
const CALL_BYTES_MAX: usize = 64 << 20;

/// A component that can be run.
pub(crate) struct Command(p2::CommandPre<Guest>);

impl Command {
    pub(crate) fn new(linked: &Linked, component: &Component) -> Result<Command, load::Error> {
        let exports = exports(&linked.engine, component);
        let is_command =
            |version: &str| exports.iter().any(|name| name.starts_with(&format!("{RUN}{version}")));
        if !is_command("0.2") {
            return Err(load::Error::World { exports });
        }
        let pre = linked.components.instantiate_pre(component);
        let pre = pre.map_err(|error| unmet::error(&linked.engine, component, &error))?;
        let invalid = |error: wasmtime::Error| load::Error::Invalid { message: format!("{error:#}") };
        Ok(Command(p2::CommandPre::new(pre).map_err(invalid)?))
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.0.engine()
    }

    /// A component has one place to start at.
    pub(crate) fn check_entry_point(&self, name: &str) -> Result<(), load::Error> {
        if name == START {
            return Ok(());
        }
        let candidates = vec![START.to_owned()];
        Err(load::Error::EntryPointMissing { name: name.to_owned(), candidates })
    }

    /// Runs it and gives its exit code.
    pub(crate) async fn call(&self, store: &mut Store<Guest>) -> Result<i32, Failure> {
        store.set_max_component_handles(HANDLES_MAX);
        store.set_hostcall_fuel(CALL_BYTES_MAX);
        let command = self.0.instantiate_async(&mut *store).await.map_err(Failure::Start)?;
        let result = command.wasi_cli_run().call_run(&mut *store).await.map_err(Failure::Call)?;
        Ok(if result.is_ok() { 0 } else { 1 })
    }
}

fn exports(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect()
}
