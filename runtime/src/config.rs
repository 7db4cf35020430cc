//! How a runtime is set up.

use std::path::PathBuf;
use std::time::Duration;

use crate::CompilerProcess;

/// How a [`Runtime`](crate::Runtime) is set up. The default suits a machine that runs many small guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many guests may exist at once. Default 1,000. Each has a slot of address space set aside, and its
    /// pages stay resident for the next guest; the host's `vm.max_map_count` bounds the number near 10,000.
    /// On a host that will not give that much address space, guests are allocated as they come.
    pub guests_max: u32,
    /// How many more runs wait for one of those to end. Default 10,000. The next is refused with
    /// [`Error::Busy`](crate::Error::Busy). A run's time does not begin before it has a place.
    pub guests_queued_max: u32,
    /// How many guests compute at once, in turns of one [`tick`](Self::tick). Default: as many as the host has
    /// cores. More of them would be late to end at their limits. Who holds back a run that was begun, by not
    /// polling its future, may hold a turn back from others.
    pub computing_max: usize,
    /// How many files, directories, sockets and connections all guests together may have open, beside their mounts. Default:
    /// half of what this process may open at the time, so that the other half is left to whatever else it does: who
    /// raises that bound does so before, and who makes several runtimes divides it. The next one is refused with `ENFILE`;
    /// who calls a guest waits.
    pub open_files_max: u32,
    /// The largest module accepted, in bytes. Default 64 MiB. Compiling takes about 1.2 s of CPU time per MB.
    pub module_bytes_max: usize,
    /// How many compiled modules are kept in memory, the least recently used going first. Default 64.
    pub modules_cached: usize,
    /// A directory of this user's alone where compiled code is kept from one process to the next; made if it is not
    /// there. Any number of processes may share it. Default: none.
    pub code_dir: Option<PathBuf>,
    /// How many bytes of code are kept there, the least recently used going first. Default 1 GiB.
    pub code_bytes_max: u64,
    /// Who compiles large modules. Default: the thread that loads them, however long that takes.
    pub compiler: Option<CompilerProcess>,
    /// Authorities that guests' requests trust beside the system's: certificates in binary form (DER). Default: none.
    pub tls_roots: Vec<Vec<u8>>,
    /// Stack of a guest in bytes. Default 512 KiB.
    pub stack_bytes: usize,
    /// Whether one module is compiled on several threads. Default true.
    pub parallel_compilation: bool,
    /// How often a guest that computes is looked at: the most by which it passes a limit. Default 10 ms.
    pub tick: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            guests_max: 1000,
            guests_queued_max: 10_000,
            computing_max: std::thread::available_parallelism().map_or(1, usize::from),
            open_files_max: open_files_max(),
            module_bytes_max: 64 << 20,
            modules_cached: 64,
            code_dir: None,
            code_bytes_max: 1 << 30,
            compiler: None,
            tls_roots: Vec::new(),
            stack_bytes: 512 << 10,
            parallel_compilation: true,
            tick: Duration::from_millis(10),
        }
    }
}

/// Half of what this process may open.
fn open_files_max() -> u32 {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| u32::try_from(limit / 2).ok()).unwrap_or(u32::MAX)
}
