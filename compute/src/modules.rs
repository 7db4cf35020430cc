//! Modules: compiled once per digest, whoever asks for them.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use skrei_job::Digest;
use skrei_runtime::{Module, Runtime, Sandbox, load};
use tokio::sync::Semaphore;

use crate::flights::Flights;

/// Loaded modules kept, those used last staying: as many as the sandbox keeps.
const LOADED_MAX: usize = 64;

/// Modules that are compiled at once; each uses several threads, and guests run meanwhile.
const COMPILED_AT_ONCE_MAX: usize = 2;

/// The largest module, in bytes: what the sandbox accepts.
pub(crate) const MODULE_BYTES_MAX: u64 = 64 << 20;

/// Modules ready to run, by the digest of their bytes.
#[derive(Debug)]
pub(crate) struct Modules {
    runtime: Runtime,
    loaded: Arc<Mutex<Loaded>>,
    flights: Flights<Digest, Result<Module, Unloaded>>,
    compiling: Arc<Semaphore>,
}

/// Why a module is not loaded.
#[derive(Clone, Debug)]
pub(crate) struct Unloaded {
    pub(crate) message: String,
    /// Whether it needs others beside it.
    pub(crate) imports_more: bool,
}

impl From<String> for Unloaded {
    fn from(message: String) -> Self {
        Self { message, imports_more: false }
    }
}

/// Gives a module's bytes, as often as they are needed.
pub(crate) type Read = Arc<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>;

#[derive(Debug, Default)]
struct Loaded {
    modules: BTreeMap<Digest, (Module, u64)>,
    uses: u64,
}

impl Modules {
    pub(crate) fn new(runtime: Runtime) -> Self {
        let compiling = Arc::new(Semaphore::new(COMPILED_AT_ONCE_MAX));
        Self { runtime, loaded: Arc::default(), flights: Flights::new(), compiling }
    }

    /// A module that is loaded already.
    pub(crate) fn get(&self, digest: &Digest) -> Option<Module> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(digest)
    }

    /// The module, loaded from what `read` gives if it is not loaded yet. `read` and the compiler run on
    /// threads made for blocking.
    pub(crate) async fn load(&self, digest: Digest, read: Read) -> Result<Module, Unloaded> {
        if let Some(module) = self.get(&digest) {
            return Ok(module);
        }
        let (runtime, loaded, compiling) =
            (self.runtime.clone(), Arc::clone(&self.loaded), Arc::clone(&self.compiling));
        let work = || async move {
            let _turn = compiling.acquire_owned().await.map_err(|error| error.to_string())?;
            let load = move || {
                let wasm =
                    read().map_err(|cause| format!("the module `{digest}` cannot be read: {cause}"))?;
                let module = runtime.load(&wasm).map_err(|error| Unloaded {
                    message: error.to_string(),
                    imports_more: matches!(error, load::Error::UnknownImport { .. }),
                })?;
                if module.digest() != digest.hex() {
                    return Err(format!("the module `{digest}` was damaged on the node's disk").into());
                }
                Ok::<_, Unloaded>(module)
            };
            let module = tokio::task::spawn_blocking(load).await.map_err(|error| error.to_string())??;
            loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, module.clone());
            Ok(module)
        };
        self.flights.join(digest, work).await
    }

    /// The module together with those it imports from: these first, and whatever else is found in the sandbox.
    pub(crate) async fn link(
        &self,
        read: Read,
        imports: Vec<String>,
        sandbox: Sandbox,
    ) -> Result<(Module, Sandbox), String> {
        let _turn = self.compiling.acquire().await.map_err(|error| error.to_string())?;
        let runtime = self.runtime.clone();
        let link = move || {
            let wasm = read().map_err(|cause| format!("the module cannot be read: {cause}"))?;
            let linking = runtime.linking().files(&sandbox);
            let linking = imports.into_iter().fold(linking, |linking, name| linking.import_file(name));
            let module = linking.load(&wasm).map_err(|error| error.to_string())?;
            Ok::<_, String>((module, sandbox))
        };
        tokio::task::spawn_blocking(link).await.map_err(|error| error.to_string())?
    }
}

impl Loaded {
    fn get(&mut self, digest: &Digest) -> Option<Module> {
        self.uses += 1;
        let uses = self.uses;
        self.modules.get_mut(digest).map(|(module, last_use)| {
            *last_use = uses;
            module.clone()
        })
    }

    fn insert(&mut self, digest: Digest, module: Module) {
        self.uses += 1;
        self.modules.insert(digest, (module, self.uses));
        while self.modules.len() > LOADED_MAX {
            let oldest = self.modules.iter().min_by_key(|(_, (_, last_use))| *last_use);
            let Some(digest) = oldest.map(|(digest, _)| *digest) else { break };
            self.modules.remove(&digest);
        }
    }
}
