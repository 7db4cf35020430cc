//! The threads guests run on: their own, so that a spinning guest delays nothing of the node.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use skrei_runtime::{Module, Outcome, Sandbox};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::{Error, told};

/// What guests are compiled by and run on. A node makes its own unless several of one process are to share it: many nodes
/// then cost little more than one, and together compute no more than the machine can.
#[derive(Clone, Debug)]
pub struct Sandboxes {
    pub(crate) runtime: skrei_runtime::Runtime,
    pub(crate) guests: Arc<Guests>,
}

impl Sandboxes {
    /// Sets the engine up and starts the threads.
    ///
    /// # Errors
    /// If either cannot be had on this host.
    pub fn start(config: skrei_runtime::Config) -> Result<Self, Error> {
        let runtime = skrei_runtime::Runtime::with_host_functions(config, told::host_functions())?;
        Ok(Self { runtime, guests: Arc::new(Guests::start()?) })
    }
}

/// As many threads as there are cores, named `guest-0` and so on.
#[derive(Debug)]
pub(crate) struct Guests {
    threads: Option<Runtime>,
}

impl Guests {
    pub(crate) fn start() -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let number = AtomicUsize::new(0);
        let threads = Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name_fn(move || format!("guest-{}", number.fetch_add(1, Ordering::Relaxed)))
            .enable_time()
            .build()
            .map_err(Error::Threads)?;
        Ok(Self { threads: Some(threads) })
    }

    /// Runs a guest. What is returned stops it when it is dropped.
    pub(crate) fn run(
        &self,
        module: Module,
        sandbox: Sandbox,
    ) -> Option<AbortOnDropHandle<Result<Outcome, skrei_runtime::Error>>> {
        let threads = self.threads.as_ref()?;
        Some(AbortOnDropHandle::new(threads.spawn(async move { module.run(sandbox).await })))
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            // The node may be dropped on an async thread, where waiting for others is not possible.
            threads.shutdown_background();
        }
    }
}
