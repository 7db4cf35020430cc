//! The engine, with the settings that make a warm run cheap.

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use crate::{Config, Error};

/// Tables one guest may have.
pub(crate) const TABLES_PER_GUEST: u32 = 8;

/// Table elements a pooled guest may have in one table; address space, not memory.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// What of a guest stays resident for the next one. Giving pages back to the kernel costs more than most runs,
/// and on several cores it interrupts the others: without these a second core makes a node slower.
const MEMORY_KEEP_RESIDENT_BYTES: usize = 2 << 20;
const TABLE_KEEP_RESIDENT_BYTES: usize = 64 << 10;
const STACK_KEEP_RESIDENT_BYTES: usize = 64 << 10;

/// Beside the guest's own stack, room for the host functions it calls.
const HOST_STACK_BYTES: usize = 1 << 20;

/// An engine with pooled guests or, where the host does not give the address space, one without.
pub(crate) fn new(config: &Config) -> Result<Engine, Error> {
    let mut settings = settings(config);
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
    Engine::new(&settings).or_else(|_| {
        settings.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&settings).map_err(Error::Engine)
    })
}

fn settings(config: &Config) -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings.epoch_interruption(true);
    settings.parallel_compilation(config.parallel_compilation);
    settings.max_wasm_stack(config.stack_bytes);
    settings.async_stack_size(config.stack_bytes + HOST_STACK_BYTES);
    settings
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    let guests = config.guests_max;
    pool.total_core_instances(guests).total_memories(guests).total_gc_heaps(guests);
    // A guest refused for want of an instance has taken a stack by then, which no running guest may miss.
    pool.total_stacks(guests.saturating_mul(2));
    pool.total_tables(guests.saturating_mul(2)).max_tables_per_module(TABLES_PER_GUEST);
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
