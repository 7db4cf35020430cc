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

/// Stacks that a guest needs at once which does several things at once: one for each of its instances, since no more than
/// one thing happens in an instance at a time; one for whatever comes next, and one to start on.
const POOLED_STACKS_PER_CONCURRENT_GUEST: u32 = POOLED_INSTANCES_PER_GUEST + 2;

/// Stacks set aside for guests that do several things at once, if there are so many guests; beyond it they are allocated
/// as they come. Each takes two of the 65,530 mappings that Linux gives a process by default.
const CONCURRENT_STACKS_MAX: u32 = 12_000;

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
    /// The same for components that do several things at once (WASI 0.3), with a stack for each of them.
    Concurrent,
    /// As they come, whatever they need within their limits.
    OnDemand,
}

/// The engines of one runtime, each with what there is to import.
pub(crate) struct Engines {
    pooled: Linked,
    /// Made when a component of WASI 0.3 comes.
    concurrent: OnceLock<Result<Linked, String>>,
    /// Made when a guest comes that does not fit into a pool.
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
        let (concurrent, on_demand) = Default::default();
        Ok(Engines { pooled, concurrent, on_demand, config: config.clone(), functions })
    }

    pub(crate) fn pooled(&self) -> &Linked {
        &self.pooled
    }

    /// The engine for components that do several things at once.
    ///
    /// # Errors
    /// The host lacks something, in words.
    pub(crate) fn concurrent(&self) -> Result<&Linked, String> {
        let made = self.concurrent.get_or_init(|| self.make(Room::Concurrent));
        made.as_ref().map_err(String::clone)
    }

    /// The engine for guests that do not fit into a pool.
    ///
    /// # Errors
    /// The host lacks something, in words.
    pub(crate) fn on_demand(&self) -> Result<&Linked, String> {
        let made = self.on_demand.get_or_init(|| self.make(Room::OnDemand));
        made.as_ref().map_err(String::clone)
    }

    fn make(&self, room: Room) -> Result<Linked, String> {
        new(&self.config, room)
            .and_then(|engine| Linked::new(engine, room, &self.functions))
            .map_err(|error| error.to_string())
    }

    /// Whether the embedder has functions under this module's name.
    pub(crate) fn has_function_of(&self, module: &str) -> bool {
        self.functions.has_module(module)
    }

    /// Tells all guests that a tick is over.
    pub(crate) fn tick(&self) {
        self.pooled.engine.increment_epoch();
        for linked in [&self.concurrent, &self.on_demand].into_iter().filter_map(|made| made.get()).flatten()
        {
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
        if room != Room::Pooled {
            p3::add_to_linker(&mut components).map_err(Error::Engine)?;
        }
        functions.define(&mut modules, &mut components)?;
        Ok(Linked { engine, modules, components })
    }
}

/// An engine with pooled guests or, where the host does not give the address space, one without.
pub(crate) fn new(config: &Config, room: Room) -> Result<Engine, Error> {
    let mut settings = settings(config, room);
    if let Some(pool) = pool(config, room) {
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
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
    settings.concurrency_support(room != Room::Pooled);
    settings
}

fn pool(config: &Config, room: Room) -> Option<PoolingAllocationConfig> {
    let mut pool = PoolingAllocationConfig::default();
    let guests = config.guests_max;
    let stacks = match room {
        // A module that makes room for what a host function gives it does so on a second stack. And a guest refused for
        // want of an instance has taken one by then, which no running guest may miss.
        Room::Pooled => guests.saturating_mul(3),
        Room::Concurrent => guests.saturating_mul(POOLED_STACKS_PER_CONCURRENT_GUEST),
        Room::OnDemand => return None,
    };
    if room == Room::Concurrent && stacks > CONCURRENT_STACKS_MAX {
        return None;
    }
    pool.total_component_instances(guests).total_gc_heaps(guests);
    pool.total_core_instances(guests.saturating_mul(POOLED_INSTANCES_PER_GUEST));
    pool.max_core_instances_per_component(POOLED_INSTANCES_PER_GUEST);
    pool.total_memories(guests.saturating_mul(POOLED_MEMORIES_PER_GUEST));
    pool.max_memories_per_module(POOLED_MEMORIES_PER_GUEST);
    pool.max_memories_per_component(POOLED_MEMORIES_PER_GUEST);
    pool.total_tables(guests.saturating_mul(POOLED_TABLES_PER_GUEST));
    pool.max_tables_per_module(POOLED_TABLES_PER_GUEST);
    pool.max_tables_per_component(POOLED_TABLES_PER_GUEST);
    pool.total_stacks(stacks);
    pool.table_elements(TABLE_ELEMENTS_MAX);
    // Rotating through more modules than there are warm slots remaps memory on every run.
    pool.max_unused_warm_slots(guests);
    pool.linear_memory_keep_resident(MEMORY_KEEP_RESIDENT_BYTES);
    pool.table_keep_resident(TABLE_KEEP_RESIDENT_BYTES);
    pool.async_stack_keep_resident(STACK_KEEP_RESIDENT_BYTES);
    pool.pagemap_scan(Enabled::Auto);
    Some(pool)
}

/// A store of an engine that keeps no backtraces, from which an empty one can be had for nothing.
pub(crate) fn quiet_store() -> wasmtime::Result<Store<()>> {
    let mut settings = wasmtime::Config::new();
    settings.wasm_backtrace_max_frames(None);
    Ok(Store::new(&Engine::new(&settings)?, ()))
}
