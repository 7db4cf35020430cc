//! What jobs get for what they do not say.

use skrei_job::defaults::{JobDefaults, TypeDefaults};

use super::get::Get;
use crate::error::Error;

/// The defaults that hold.
pub(super) fn job_defaults(get: &Get<'_>) -> Result<JobDefaults, Error> {
    Ok(JobDefaults {
        batch: ending(get, "Batch")?,
        ops: ending(get, "Ops")?,
        service: of(get, "Service")?,
        daemon: of(get, "Daemon")?,
    })
}

fn of(get: &Get<'_>, kind: &str) -> Result<TypeDefaults, Error> {
    let key = |name: &str| format!("JobDefaults.{kind}.{name}");
    Ok(TypeDefaults {
        priority: i64::try_from(get.number(&key("Priority"))?).unwrap_or(i64::MAX),
        cpu_millis: get.amount(&key("Task.Resources.CPU"))?,
        memory_bytes: get.amount(&key("Task.Resources.Memory"))?,
        disk_bytes: get.amount(&key("Task.Resources.Disk"))?,
        ..TypeDefaults::default()
    })
}

fn ending(get: &Get<'_>, kind: &str) -> Result<TypeDefaults, Error> {
    let key = |name: &str| format!("JobDefaults.{kind}.Task.Timeouts.{name}");
    Ok(TypeDefaults {
        execution_timeout: get.duration(&key("ExecutionTimeout"))?,
        total_timeout: get.duration(&key("TotalTimeout"))?,
        ..of(get, kind)?
    })
}
