//! The threads guests run on: their own, so that a spinning guest delays nothing of the node.

use std::sync::atomic::{AtomicUsize, Ordering};

use skrei_runtime::{Module, Outcome, Sandbox};
use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::Error;

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
