//! What became of a run.

use std::fmt;
use std::time::Duration;

use crate::{Captured, Limit, MountUsage, NetworkUsage};

/// What became of a run: how the guest ended, what it wrote, what it used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How the guest ended.
    pub ending: Ending,
    /// Its standard output, up to [`Limits::stdout_bytes`](crate::Limits::stdout_bytes).
    pub stdout: Captured,
    /// Its standard error, up to [`Limits::stderr_bytes`](crate::Limits::stderr_bytes).
    pub stderr: Captured,
    /// What the run took.
    pub usage: Usage,
}

impl Outcome {
    /// Of a guest that never began.
    pub(crate) fn of_none(ending: Ending) -> Outcome {
        let (stdout, stderr, usage) = Default::default();
        Outcome { ending, stdout, stderr, usage }
    }
}

/// How a guest ended. None of these is an error of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It returned (code 0) or exited with a code.
    Exited(i32),
    /// It did what WebAssembly forbids, such as reaching `unreachable`, and was stopped.
    Trapped(Trap),
    /// It ran into a limit and was stopped.
    HitLimit(Limit),
    /// Its [`CancelToken`](crate::CancelToken) was cancelled.
    Cancelled,
}

impl Ending {
    /// Whether the guest ended with exit code 0.
    pub fn is_success(&self) -> bool {
        *self == Ending::Exited(0)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Exited(code) => write!(f, "exited with code {code}"),
            Ending::Trapped(trap) => write!(f, "trapped: {}", trap.what),
            Ending::HitLimit(limit) => write!(f, "hit the {limit} limit"),
            Ending::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Why and where a guest trapped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// What happened, in the engine's words.
    pub what: String,
    /// The functions that were active, innermost first, at most twenty. Names are there as far as the module
    /// kept them, without control characters and up to 256 bytes of each; a function without one is given as
    /// `function N`.
    pub backtrace: Vec<String>,
}

/// What a run took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// From the start of the run to its end, waiting included.
    pub wall_time: Duration,
    /// Processor time, of the guest and of what the host did for it.
    pub cpu_time: Duration,
    /// The most linear memory the guest had at once.
    pub memory_bytes_peak: u64,
    /// What it did in each mount; file mounts that share a directory come together.
    pub mounts: Vec<MountUsage>,
    /// What it did on the network, and what of it was denied.
    pub network: NetworkUsage,
}
