//! Memory and tables, refused beyond their limits.

use wasmtime::ResourceLimiter;

use crate::{Limits, footprint};

/// What there may be of each in one guest. A component is one core instance for each module in it and some to connect
/// them; a module is one by itself.
const INSTANCES_MAX: usize = 128;
const TABLES_MAX: usize = 64;
const MEMORIES_MAX: usize = 16;

/// All tables of a guest together may have so many times what one may have.
const TABLES_AS_LARGE_AS: usize = 8;

/// Answers the engine when a guest wants to grow, and remembers what was refused and what was taken.
#[derive(Debug)]
pub(crate) struct Limiter {
    instances_max: usize,
    memory_bytes_max: u64,
    table_elements_max: usize,
    table_elements: usize,
    memory_bytes: u64,
    memory_bytes_before: u64,
    memory_bytes_peak: u64,
    memory_refused: bool,
}

impl Limiter {
    /// `instance_bytes` is what an instance of the guest's takes beside memories and tables, at most.
    pub(crate) fn new(limits: &Limits, instance_bytes: u64) -> Limiter {
        Limiter {
            instances_max: INSTANCES_MAX.min(footprint::instances_max(instance_bytes)),
            memory_bytes_max: limits.memory_bytes,
            table_elements_max: limits.table_elements as usize,
            table_elements: 0,
            memory_bytes: 0,
            memory_bytes_before: 0,
            memory_bytes_peak: 0,
            memory_refused: false,
        }
    }

    /// Whether any growth of memory was refused during the run.
    pub(crate) fn memory_refused(&self) -> bool {
        self.memory_refused
    }

    /// The most the guest had, all its memories together.
    pub(crate) fn memory_bytes_peak(&self) -> u64 {
        self.memory_bytes_peak
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Beyond the module's own maximum the engine says no by itself, whatever the limit.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory_bytes.saturating_add(desired.saturating_sub(current) as u64);
        if total > self.memory_bytes_max {
            self.memory_refused = true;
            return Ok(false);
        }
        self.memory_bytes_before = std::mem::replace(&mut self.memory_bytes, total);
        self.memory_bytes_peak = self.memory_bytes_peak.max(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // The host could not give what the limit allows: for the guest, the same end.
        self.memory_refused = true;
        self.memory_bytes = self.memory_bytes_before;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired.saturating_sub(current));
        let most = self.table_elements_max.saturating_mul(TABLES_AS_LARGE_AS);
        if desired > self.table_elements_max
            || total > most
            || maximum.is_some_and(|maximum| desired > maximum)
        {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}
