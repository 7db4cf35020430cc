//! A component that can be run: its code with its imports resolved.

use wasmtime::component::{Component, InstancePre};
use wasmtime::{Engine, Store};
use wasmtime_wasi::p2::bindings as p2;
use wasmtime_wasi::p3::bindings as p3;

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

/// Bytes one call may hand to the host, which copies them.
pub(crate) const CALL_BYTES_MAX: usize = 16 << 20;

/// A component that can be run.
pub(crate) struct Command {
    world: World,
    /// What one instance in it takes of the host's memory, at most.
    instance_bytes: u64,
}

/// What a component is made for.
enum World {
    /// WASI 0.2.
    P2(p2::CommandPre<Guest>),
    /// WASI 0.3.
    P3(InstancePre<Guest>, p3::CommandIndices),
}

impl Command {
    pub(crate) fn new(
        linked: &Linked,
        component: &Component,
        instance_bytes: u64,
    ) -> Result<Command, load::Error> {
        let exports = exports(&linked.engine, component);
        let runs_by =
            |version: &str| exports.iter().any(|name| name.starts_with(&format!("{RUN}{version}.")));
        let (is_p2, is_p3) = (runs_by("0.2"), runs_by("0.3"));
        if !is_p2 && !is_p3 {
            return Err(load::Error::World { exports });
        }
        let pre = linked.components.instantiate_pre(component);
        let pre = pre.map_err(|error| unmet::error(&linked.engine, component, &error))?;
        let world = if is_p3 {
            p3::CommandIndices::new(&pre).map(|indices| World::P3(pre, indices))
        } else {
            p2::CommandPre::new(pre).map(World::P2)
        };
        let world = world.map_err(|error| load::Error::Invalid { message: format!("{error:#}") })?;
        Ok(Command { world, instance_bytes })
    }

    pub(crate) fn engine(&self) -> &Engine {
        match &self.world {
            World::P2(pre) => pre.engine(),
            World::P3(pre, _) => pre.engine(),
        }
    }

    /// What one instance in it takes of the host's memory beside the guest's own, at most.
    pub(crate) fn instance_bytes(&self) -> u64 {
        self.instance_bytes
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
        let tasks_max = store.data().holdings.tasks_max();
        if let Some(tasks) = store.concurrent_resource_table() {
            tasks.set_max_capacity(tasks_max);
        }
        let result = match &self.world {
            World::P2(pre) => {
                let command = pre.instantiate_async(&mut *store).await.map_err(Failure::of_start)?;
                command.wasi_cli_run().call_run(&mut *store).await
            }
            World::P3(pre, indices) => {
                let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::of_start)?;
                let command = indices.load(&mut *store, &instance).map_err(Failure::Start)?;
                let run = store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await);
                run.await.flatten()
            }
        };
        Ok(if result.map_err(Failure::Call)?.is_ok() { 0 } else { 1 })
    }
}

fn exports(engine: &Engine, component: &Component) -> Vec<String> {
    component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect()
}
