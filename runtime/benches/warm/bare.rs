//! The other side: what an embedder of wasmtime writes by hand.

use std::path::Path;

use hyper::{Request, Response};
use wasmtime::component::{self, Component, ResourceTable};
use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig,
    Result, Store, StoreLimits, StoreLimitsBuilder, UpdateDeadline,
};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p3;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

/// A module or component linked against wasmtime's own WASI.
pub(crate) struct Bare {
    engine: Engine,
    code: Code,
}

enum Code {
    Module(InstancePre<State<WasiP1Ctx>>),
    Component(CommandPre<State<WasiCtx>>),
    Concurrent(p3::bindings::CommandPre<State<WasiCtx>>),
}

struct State<W> {
    wasi: W,
    table: ResourceTable,
    limits: StoreLimits,
    http: WasiHttpCtx,
    requests: NoRequests,
}

/// What is there to be imported and never called.
struct NoRequests;

type Done = Box<dyn Future<Output = std::result::Result<(), Error>> + Send>;

impl WasiHttpHooks for NoRequests {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Done,
    ) -> Box<dyn Future<Output = std::result::Result<(Response<WasiBody>, Done), Error>> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}

impl WasiHttpView for State<WasiCtx> {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.requests }
    }
}

impl WasiView for State<WasiCtx> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Bare {
    pub(crate) fn new(wasm: &[u8]) -> Result<Bare> {
        let mut engine = Engine::new(&settings(false))?;
        let code = if wasm[6] == 1 && runs_concurrently(wasm) {
            engine = Engine::new(&settings(true))?;
            let component = Component::new(&engine, wasm)?;
            let mut linker = component::Linker::new(&engine);
            p3::add_to_linker(&mut linker)?;
            // What its compiler brings along is of 0.2. And all of the programs are in one component: one makes requests.
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
            Code::Concurrent(p3::bindings::CommandPre::new(linker.instantiate_pre(&component)?)?)
        } else if wasm[6] == 1 {
            let mut linker = component::Linker::new(&engine);
            wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
            Code::Component(CommandPre::new(linker.instantiate_pre(&Component::new(&engine, wasm)?)?)?)
        } else {
            let mut linker = Linker::new(&engine);
            p1::add_to_linker_async(&mut linker, |state: &mut State<WasiP1Ctx>| &mut state.wasi)?;
            Code::Module(linker.instantiate_pre(&Module::new(&engine, wasm)?)?)
        };
        Ok(Bare { engine, code })
    }

    /// Runs once, and gives standard output.
    pub(crate) async fn run(&self, dir: &Path, mounts: usize, args: &[&str]) -> Vec<u8> {
        self.try_run(dir, mounts, args).await.expect("run the guest")
    }

    async fn try_run(&self, dir: &Path, mounts: usize, args: &[&str]) -> Result<Vec<u8>> {
        let stdout = MemoryOutputPipe::new(1 << 20);
        let mut wasi = WasiCtxBuilder::new();
        wasi.arg("main.wasm").args(args).stdout(stdout.clone()).allow_blocking_current_thread(true);
        for number in 0..mounts {
            wasi.preopened_dir(dir, format!("/{number}"), FsPerms::ReadOnly)?;
        }
        match &self.code {
            Code::Module(pre) => {
                let mut store = self.store(wasi.build_p1());
                let instance = pre.instantiate_async(&mut store).await?;
                let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
                if let Err(error) = start.call_async(&mut store, ()).await {
                    let Some(I32Exit(0)) = error.downcast_ref() else { return Err(error) };
                }
            }
            Code::Component(pre) => {
                let mut store = self.store(wasi.build());
                let command = pre.instantiate_async(&mut store).await?;
                command.wasi_cli_run().call_run(&mut store).await?.expect("it does well");
            }
            Code::Concurrent(pre) => {
                let mut store = self.store(wasi.build());
                let command = pre.instantiate_async(&mut store).await?;
                let run = store.run_concurrent(async |store| command.wasi_cli_run().call_run(store).await);
                run.await??.expect("it does well");
            }
        }
        Ok(stdout.contents().to_vec())
    }

    fn store<W: 'static>(&self, wasi: W) -> Store<State<W>> {
        let limits = StoreLimitsBuilder::new().memory_size(512 << 20).build();
        let mut store = Store::new(
            &self.engine,
            State {
                wasi,
                table: ResourceTable::new(),
                limits,
                http: WasiHttpCtx::new(),
                requests: NoRequests,
            },
        );
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        store
    }
}

/// Whether a component is for WASI 0.3.
fn runs_concurrently(wasm: &[u8]) -> bool {
    const RUN: &[u8] = b"wasi:cli/run@0.3";
    wasm.windows(RUN.len()).any(|bytes| bytes == RUN)
}

/// The settings of this crate's engines.
fn settings(concurrent: bool) -> wasmtime::Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(1000).total_core_instances(8000).total_memories(1000);
    pool.total_stacks(if concurrent { 10_000 } else { 3000 }).total_gc_heaps(1000);
    pool.total_tables(4000).max_tables_per_module(4).table_elements(100_000);
    pool.max_unused_warm_slots(1000);
    pool.linear_memory_keep_resident(2 << 20);
    pool.table_keep_resident(64 << 10);
    pool.async_stack_keep_resident(64 << 10);
    pool.pagemap_scan(Enabled::Auto);
    let mut settings = wasmtime::Config::new();
    settings.epoch_interruption(true);
    settings.concurrency_support(concurrent);
    settings.async_stack_size((512 << 10) + (1 << 20));
    settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    settings
}
