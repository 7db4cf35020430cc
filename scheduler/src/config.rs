//! What can be set about scheduling.

use std::time::Duration;

/// Settings of the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a node may be silent before its executions are `Lost`.
    pub disconnect_timeout: Duration,
    /// How long an ended job is remembered for outcomes that its nodes still owe (of executions that were
    /// cancelled or lost). Later ones change nothing. This bounds the memory that silent nodes can hold.
    pub late_outcome_window: Duration,
}

impl Default for Config {
    /// One minute of silence, as Bacalhau has it; one hour for late outcomes.
    fn default() -> Self {
        Self {
            disconnect_timeout: Duration::from_secs(60),
            late_outcome_window: Duration::from_secs(60 * 60),
        }
    }
}
