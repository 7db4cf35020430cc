//! Amounts and times.

use std::time::Duration;

use crate::{
    manifest,
    path::Path,
    problem::{Problem, quoted},
    resources::{self, NotAQuantity, Resources},
    spec::Timeouts,
};

/// What a task asks for if it says nothing.
pub(crate) const DEFAULT_CPU: &str = "500m";
/// What a task asks for if it says nothing.
pub(crate) const DEFAULT_MEMORY: &str = "512mb";

/// The longest time that can be asked for: ten years. Longer ones are no limit and overflow calculations.
const TIMEOUT_SECONDS_MAX: i64 = 10 * 366 * 86_400;

pub(super) fn resources(
    written: &mut manifest::Resources,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Resources {
    for amount in [&mut written.cpu, &mut written.memory, &mut written.disk, &mut written.gpu] {
        *amount = resources::clean(amount);
    }
    for (amount, default) in [(&mut written.cpu, DEFAULT_CPU), (&mut written.memory, DEFAULT_MEMORY)] {
        if amount.is_empty() {
            default.clone_into(amount);
        }
    }
    let mut read = |name, text: &str, parse: fn(&str) -> Result<u64, NotAQuantity>, form: &str| {
        if text.is_empty() {
            return 0;
        }
        parse(text).unwrap_or_else(|_| {
            problems
                .push(Problem::new(path.key(name), format!("{} is not an amount", quoted(text))).hint(form));
            0
        })
    };
    Resources {
        cpu_millis: read("CPU", &written.cpu, resources::parse_cpu, "`500m` or `0.5` (cores)"),
        memory_bytes: read("Memory", &written.memory, resources::parse_bytes, BYTES),
        disk_bytes: read("Disk", &written.disk, resources::parse_bytes, BYTES),
        gpus: read("GPU", &written.gpu, resources::parse_gpus, "`1`"),
    }
}

const BYTES: &str = "`512MB` (powers of 1000) or `1Gi` (powers of 1024)";

pub(super) fn timeouts(written: manifest::Timeouts, path: &Path, problems: &mut Vec<Problem>) -> Timeouts {
    let mut read = |name, seconds: i64| {
        if !(0..=TIMEOUT_SECONDS_MAX).contains(&seconds) {
            problems.push(
                Problem::new(
                    path.key(name),
                    format!("`{seconds}` is not between 0 and {TIMEOUT_SECONDS_MAX}"),
                )
                .hint("whole seconds; 0 means no limit"),
            );
        }
        u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs)
    };
    let execution = read("ExecutionTimeout", written.execution_timeout);
    let queue = read("QueueTimeout", written.queue_timeout);
    let total = read("TotalTimeout", written.total_timeout);
    let cpu = read("CPUTime", written.cpu_time);
    if let Some(total) = total {
        let parts = execution.unwrap_or_default().saturating_add(queue.unwrap_or_default());
        if parts > total {
            problems.push(
                Problem::new(
                    path.key("TotalTimeout"),
                    format!("`{}` is less than execution and queue timeout together", total.as_secs()),
                )
                .hint(format!("at least {}", parts.as_secs())),
            );
        }
    }
    Timeouts { execution: execution.or(total), queue, total, cpu }
}

/// A job that is kept running has no end by itself: its total timeout bounds neither it nor its executions.
pub(super) fn of_service(written: Option<&manifest::Task>, timeouts: Timeouts) -> Timeouts {
    let of_one = written.is_some_and(|task| task.timeouts.execution_timeout > 0);
    Timeouts { execution: timeouts.execution.filter(|_| of_one), total: None, ..timeouts }
}
