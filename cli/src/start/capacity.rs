//! How much of this machine jobs get.

use std::path::Path;

use skrei_job::resources::Resources;

use crate::config::Capacity;

/// The configured shares of what this machine has.
pub(super) fn amounts(capacity: &Capacity, data_dir: &Path) -> Resources {
    Resources {
        cpu_millis: capacity.cpu.of(processors() * 1000),
        memory_bytes: capacity.memory.of(memory_bytes()),
        disk_bytes: capacity.disk.of(disk_bytes_free(data_dir)),
        gpus: capacity.gpu.of(0),
    }
}

fn processors() -> u64 {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() as u64)
}

fn memory_bytes() -> u64 {
    let information = rustix::system::sysinfo();
    information.totalram.saturating_mul(u64::from(information.mem_unit))
}

/// What an ordinary user may still write there; nothing if that cannot be told.
fn disk_bytes_free(directory: &Path) -> u64 {
    rustix::fs::statvfs(directory).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
