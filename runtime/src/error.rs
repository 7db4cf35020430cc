//! What can go wrong that is not the guest's doing.

use crate::{MountError, load};

/// Why a run could not be carried out, or a runtime not be made. A guest that fails is no error but an
/// [`Outcome`](crate::Outcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be had on this host.
    #[error("set up the engine: {0:#}")]
    Engine(wasmtime::Error),
    /// The thread that keeps time could not be started.
    #[error("start the clock thread: {0}")]
    Clock(#[source] std::io::Error),
    /// [`Config::code_dir`](crate::Config::code_dir) cannot be used.
    #[error("open the directory of compiled code `{}`: {source}", dir.display())]
    CodeDir {
        /// The directory.
        dir: std::path::PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// Two host functions have one name, or one has the name of a function of WASI.
    #[error("there is more than one host function `{module}::{name}`")]
    HostFunction {
        /// The name of its module.
        module: String,
        /// Its own name.
        name: String,
    },
    /// The module has no such entry point.
    #[error(transparent)]
    Load(#[from] load::Error),
    /// The mounts do not fit together.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// [`Config::guests_max`](crate::Config::guests_max) guests exist, and
    /// [`Config::guests_queued_max`](crate::Config::guests_queued_max) more wait.
    #[error("start the guest: too many guests run and wait already")]
    Busy,
    /// The engine could not make an instance, because the host lacks something or because the module needs more
    /// than [`Limits::table_elements`](crate::Limits::table_elements).
    #[error("start the guest: {0:#}")]
    Start(wasmtime::Error),
}
