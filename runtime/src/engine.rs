//! The engines, with the settings that make a warm run cheap.

use std::sync::OnceLock;

use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, Linker, PoolingAllocationConfig, Store, component,
};

use crate::guest::Guest;
use crate::{Config, Error, HostFunctions, p1, p2, p3, requests};

/// What most guests have at most: a component from one module is four core instances, with two tables and one memory.
/// The pool has a place for as much of each guest.
const POOLED_INSTANCES_PER_GUEST: u32 = 8;
const POOLED_TABLES_PER_GUEST: u32 = 4;
const POOLED_MEMORIES_PER_GUEST: u32 = 1;

/// Table elements a pooled guest may have in one table; address space, not memory.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// What of a guest stays resident for the next one. Giving pages back to the kernel costs more than most runs,
/// and on several cores it interrupts the others: without these a second core makes a node slower.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 2 << 20;
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;
const STACK_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Beside the guest's own stack, room for the host functions it calls.
const HOST_STACK_BYTES: usize = 1 << 20;

/// How an engine has its guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// In places set aside for them, each as large as most guests need.
    Pooled,
    /// As they come, whatever they need within their limits. The only one for components that do several things at
    /// once (WASI 0.3): each of those takes a stack, and the pool's are for other guests.
    OnDemand,
}

/// The engines of one runtime, each with what there is to import.
pub(crate) struct Engines {
    pooled: Linked,
    /// Made when a guest comes that does not fit into the pool.
    on_demand: OnceLock<Result<Linked, String>>,
    config: Config,
    functions: HostFunctions,
}

/// An engine, and what its guests may import.
pub(crate) struct Linked {
    pub(crate) engine: Engine,
    pub(crate) modules: Linker<Guest>,
    pub(crate) components: component::Linker<Guest>,
}

impl Engines {
    pub(crate) fn new(config: &Config, functions: HostFunctions) -> Result<Engines, Error> {
        let pooled = Linked::new(new(config, Room::Pooled)?, Room::Pooled, &functions)?;
        Ok(Engines { pooled, on_demand: OnceLock::new(), config: config.clone(), functions })
    }

    pub(crate) fn pooled(&self) -> &Linked {
        &self.pooled
    }

    /// The engine for guests that do not fit into the pool.
    ///
    /// # Errors
    /// The host lacks something, in words.
    pub(crate) fn on_demand(&self) -> Result<&Linked, String> {
        let made = self.on_demand.get_or_init(|| {
            new(&self.config, Room::OnDemand)
                .and_then(|engine| Linked::new(engine, Room::OnDemand, &self.functions))
                .map_err(|error| error.to_string())
        });
        made.as_ref().map_err(String::clone)
    }

    /// Whether the embedder has functions under this module's name.
    pub(crate) fn has_function_of(&self, module: &str) -> bool {
        self.functions.has_module(module)
    }

    /// Tells all guests that a tick is over.
    pub(crate) fn tick(&self) {
        self.pooled.engine.increment_epoch();
        if let Some(Ok(linked)) = self.on_demand.get() {
            linked.engine.increment_epoch();
        }
    }
}

impl Linked {
    fn new(engine: Engine, room: Room, functions: &HostFunctions) -> Result<Linked, Error> {
        let mut modules = Linker::new(&engine);
        p1::add_to_linker(&mut modules).map_err(Error::Engine)?;
        requests::add_to_linker(&mut modules).map_err(Error::Engine)?;
        let mut components = component::Linker::new(&engine);
        p2::add_to_linker(&mut components).map_err(Error::Engine)?;
        if room == Room::OnDemand {
            p3::add_to_linker(&mut components).map_err(Error::Engine)?;
        }
        functions.define(&mut modules, &mut components)?;
        Ok(Linked { engine, modules, components })
    }
}

/// An engine with pooled guests or, where the host does not give the address space, one without.
pub(crate) fn new(config: &Config, room: Room) -> Result<Engine, Error> {
    let mut settings = settings(config, room);
    if room == Room::Pooled {
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
        if let Ok(engine) = Engine::new(&settings) {
            return Ok(engine);
        }
    }
    settings.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    Engine::new(&settings).map_err(Error::Engine)
}

fn settings(config: &Config, room: Room) -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings.epoch_interruption(true);
    settings.parallel_compilation(config.parallel_compilation);
    settings.max_wasm_stack(config.stack_bytes);
    settings.async_stack_size(config.stack_bytes + HOST_STACK_BYTES);
    // What is not there costs nothing, and a component that needs it is refused by this engine.
    settings.concurrency_support(room == Room::OnDemand);
    settings
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    let guests = config.guests_max;
    pool.total_component_instances(guests).total_gc_heaps(guests);
    pool.total_core_instances(guests.saturating_mul(POOLED_INSTANCES_PER_GUEST));
    pool.max_core_instances_per_component(POOLED_INSTANCES_PER_GUEST);
    pool.total_memories(guests.saturating_mul(POOLED_MEMORIES_PER_GUEST));
    pool.max_memories_per_module(POOLED_MEMORIES_PER_GUEST);
    pool.max_memories_per_component(POOLED_MEMORIES_PER_GUEST);
    pool.total_tables(guests.saturating_mul(POOLED_TABLES_PER_GUEST));
    pool.max_tables_per_module(POOLED_TABLES_PER_GUEST);
    pool.max_tables_per_component(POOLED_TABLES_PER_GUEST);
    // A module that makes room for what a host function gives it does so on a second stack. And a guest refused for want
    // of an instance has taken one by then, which no running guest may miss.
    pool.total_stacks(guests.saturating_mul(3));
    pool.table_elements(TABLE_ELEMENTS_MAX);
    // Rotating through more modules than there are warm slots remaps memory on every run.
    pool.max_unused_warm_slots(guests);
    pool.linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES);
    pool.table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
    pool.async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES);
    pool.pagemap_scan(Enabled::Auto);
    pool
}

/// A store of an engine that keeps no backtraces, from which an empty one can be had for nothing.
pub(crate) fn quiet_store() -> wasmtime::Result<Store<()>> {
    let mut settings = wasmtime::Config::new();
    settings.wasm_backtrace_max_frames(None);
    Ok(Store::new(&Engine::new(&settings)?, ()))
}
