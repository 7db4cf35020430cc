//! How much a guest may use.

use std::fmt;
use std::time::Duration;

/// How much one run may use. Every limit is enforced by the host, whatever the guest does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory in bytes. Default 512 MiB. Growth beyond it is refused, as WebAssembly lets a host do; a
    /// guest that traps after a refusal ends as [`Limit::Memory`], one that copes goes on.
    pub memory_bytes: u64,
    /// Time from the start of the run to its end, whether the guest computes or waits. Default: none, the
    /// caller's to choose.
    pub wall_time: Option<Duration>,
    /// Processor time, of the guest and of what the host does for it. Default: none. It is looked at every
    /// [`Config::tick`](crate::Config::tick), which is the most by which it is passed.
    pub cpu_time: Option<Duration>,
    /// Bytes of standard output kept in the outcome. Default 1 MiB. More is counted and dropped, not an error.
    pub stdout_bytes: usize,
    /// Bytes of standard error kept in the outcome. Default 1 MiB, as for standard output.
    pub stderr_bytes: usize,
    /// Descriptors the guest may open beside those it starts with. Default 256. The next one is refused with `EMFILE`.
    ///
    /// A component's sockets and connections count, for as long as any stream of theirs is there. A socket that others
    /// call counts twice: the next of them is the host's before the guest accepts it. Those for whom there is no room
    /// wait, and are accepted when there is some.
    pub open_files: u32,
    /// Bytes the run may add to all its writable mounts together, those with a [`Quota`](crate::Quota) of their
    /// own aside. Default 1 GiB. The write that would pass it fails with `EDQUOT`.
    pub disk_bytes: u64,
    /// Files, directories and links the run may make there. Default 100,000, of which each costs the host an
    /// inode and a block at most beside its bytes.
    pub disk_files: u64,
    /// Elements in each of the guest's tables. Default 100,000, far more than any compiler needs for its
    /// function pointers. All of its tables together may have eight times that.
    pub table_elements: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 512 << 20,
            wall_time: None,
            cpu_time: None,
            stdout_bytes: 1 << 20,
            stderr_bytes: 1 << 20,
            open_files: 256,
            disk_bytes: 1 << 30,
            disk_files: 100_000,
            table_elements: 100_000,
        }
    }
}

/// A limit that ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// [`Limits::memory_bytes`]: the guest was refused memory and trapped, or needed more to start at all.
    Memory,
    /// [`Limits::wall_time`].
    WallTime,
    /// [`Limits::cpu_time`].
    CpuTime,
    /// [`Config::stack_bytes`](crate::Config::stack_bytes): calls nested too deep.
    Stack,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Memory => "memory",
            Limit::WallTime => "wall time",
            Limit::CpuTime => "CPU time",
            Limit::Stack => "stack",
        })
    }
}
