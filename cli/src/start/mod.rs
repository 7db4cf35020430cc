//! Starting servers: what `serve`, `devstack` and `demo` have in common.

mod allow_list;
mod autocert;
mod callers;
mod capacity;
mod compute;
mod files;
mod listen;
mod node_name;
mod orchestrator;
mod secret_keys;
mod servers;
mod stack;
mod tls;

pub(crate) use listen::Ports;
pub(crate) use node_name::node_name;
pub(crate) use orchestrator::Door;
pub(crate) use servers::Servers;
pub(crate) use stack::{NODE_PLACEHOLDER, Stack};
pub(crate) use tls::{Encryption, authority};

use skrei_ledger::{DirectoryLock, LockError};

use crate::error::Error;

/// How a program gets at ports below 1024.
fn privileges() -> String {
    let program = std::env::current_exe().unwrap_or_else(|_| "skrei".into());
    format!("allow it with: sudo setcap cap_net_bind_service=+ep {}", program.display())
}

/// Secrets pass through the memory of servers: when one crashes, it leaves no image of that behind.
pub(crate) fn leave_no_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Core);
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum }) {
        tracing::warn!(%error, "a crash may leave an image of memory behind");
    }
}

/// Takes the lock on a data directory.
///
/// # Errors
/// Another process has it, or it cannot be used.
pub(crate) fn lock(directory: &std::path::Path) -> Result<DirectoryLock, Error> {
    DirectoryLock::take(directory).map_err(|error| match &error {
        LockError::InUse { pid, .. } => Error::unavailable(error.to_string())
            .hint(format!("stop that process (kill {pid}), or choose another directory with --data-dir")),
        LockError::Unusable { source, .. } => Error::unavailable(format!("{error}: {source}"))
            .hint("choose a directory that you may write, with --data-dir"),
    })
}
