//! The other side: what an embedder of wasmtime writes by hand.

use std::path::Path;

use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig,
    Result, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

/// A module linked against wasmtime's own preview 1.
pub(crate) struct Bare {
    engine: Engine,
    pre: InstancePre<State>,
}

struct State {
    wasi: WasiP1Ctx,
    limits: StoreLimits,
}

impl Bare {
    pub(crate) fn new(wasm: &[u8]) -> Result<Bare> {
        let engine = Engine::new(&settings())?;
        let mut linker = Linker::new(&engine);
        p1::add_to_linker_async(&mut linker, |state: &mut State| &mut state.wasi)?;
        let pre = linker.instantiate_pre(&Module::new(&engine, wasm)?)?;
        Ok(Bare { engine, pre })
    }

    /// Runs once, and gives standard output.
    pub(crate) async fn run(&self, dir: &Path, args: &[&str]) -> Vec<u8> {
        self.try_run(dir, args).await.expect("run the guest")
    }

    async fn try_run(&self, dir: &Path, args: &[&str]) -> Result<Vec<u8>> {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg("main.wasm").args(args).stdout(stdout.clone()).allow_blocking_current_thread(true);
        wasi.preopened_dir(dir, "/data", FsPerms::ReadOnly)?;
        let limits = StoreLimitsBuilder::new().memory_size(512 << 20).build();
        let mut store = Store::new(&self.engine, State { wasi: wasi.build_p1(), limits });
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));

        let instance = self.pre.instantiate_async(&mut store).await?;
        let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
        if let Err(error) = start.call_async(&mut store, ()).await {
            let Some(I32Exit(0)) = error.downcast_ref() else { return Err(error) };
        }
        drop(store);
        Ok(stdout.contents().to_vec())
    }
}

/// The settings of this crate's engine.
fn settings() -> wasmtime::Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(1000).total_memories(1000).total_stacks(1000).total_gc_heaps(1000);
    pool.total_tables(2000).max_tables_per_module(8).table_elements(100_000);
    pool.max_unused_warm_slots(1000);
    pool.linear_memory_keep_resident(2 << 20);
    pool.table_keep_resident(64 << 10);
    pool.async_stack_keep_resident(64 << 10);
    pool.pagemap_scan(Enabled::Auto);
    let mut settings = wasmtime::Config::new();
    settings.epoch_interruption(true);
    settings.async_stack_size((512 << 10) + (1 << 20));
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    settings
}
