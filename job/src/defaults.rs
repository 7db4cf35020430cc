//! What a job gets for what it does not say, by its type: the orchestrator's rules, filled in where jobs are submitted.
//!
//! What a job says itself always counts, and a default never makes a job wrong: one that does not go with what the job says
//! is cut to what does.

use std::time::Duration;

use crate::Manifest;

/// Defaults of all types of jobs. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobDefaults {
    /// Of `batch` jobs.
    pub batch: TypeDefaults,
    /// Of `ops` jobs.
    pub ops: TypeDefaults,
    /// Of services. They have no end, and so no timeouts.
    pub service: TypeDefaults,
    /// Of daemons. Neither have they.
    pub daemon: TypeDefaults,
}

/// Defaults of one type. What is 0 says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TypeDefaults {
    /// Higher goes first.
    pub priority: i64,
    /// Thousandths of a core.
    pub cpu_millis: u64,
    /// Memory.
    pub memory_bytes: u64,
    /// Disk space.
    pub disk_bytes: u64,
    /// How long an execution may run, in whole seconds.
    pub execution_timeout: Duration,
    /// How long the job may take as a whole, in whole seconds.
    pub total_timeout: Duration,
}

impl JobDefaults {
    /// Fills in what the job does not say.
    pub fn fill(&self, job: &mut Manifest) {
        let defaults = match job.kind.to_ascii_lowercase().as_str() {
            "batch" => self.batch,
            "ops" => self.ops,
            "service" => self.service,
            "daemon" => self.daemon,
            _ => return,
        };
        if job.priority == 0 {
            job.priority = defaults.priority;
        }
        for task in &mut job.tasks {
            let asked = &mut task.resources;
            let fill = |text: &mut String, amount: u64, unit: &str| {
                if text.is_empty() && amount > 0 {
                    *text = format!("{amount}{unit}");
                }
            };
            fill(&mut asked.cpu, defaults.cpu_millis, "m");
            fill(&mut asked.memory, defaults.memory_bytes, "");
            fill(&mut asked.disk, defaults.disk_bytes, "");
            let said = &mut task.timeouts;
            let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
            let queue = said.queue_timeout.max(0);
            if said.execution_timeout == 0 {
                let most =
                    if said.total_timeout > 0 { (said.total_timeout - queue).max(0) } else { i64::MAX };
                said.execution_timeout = seconds(defaults.execution_timeout).min(most);
            }
            let total = seconds(defaults.total_timeout);
            if said.total_timeout == 0 && total > 0 {
                said.total_timeout = total.max(said.execution_timeout.max(0).saturating_add(queue));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Task;

    fn job(kind: &str, task: Task) -> Manifest {
        Manifest { kind: kind.to_owned(), tasks: vec![task], ..Manifest::default() }
    }

    fn defaults() -> JobDefaults {
        let batch = TypeDefaults {
            priority: 7,
            cpu_millis: 250,
            memory_bytes: 64 << 20,
            disk_bytes: 0,
            execution_timeout: Duration::from_secs(60),
            total_timeout: Duration::from_secs(100),
        };
        JobDefaults { batch, ..JobDefaults::default() }
    }

    #[test]
    fn what_a_job_does_not_say_is_filled_in_by_its_type() {
        let mut silent = job("Batch", Task::default());
        defaults().fill(&mut silent);
        let task = &silent.tasks[0];
        assert_eq!((silent.priority, task.resources.cpu.as_str()), (7, "250m"));
        assert_eq!((task.resources.memory.as_str(), task.resources.disk.as_str()), ("67108864", ""));
        assert_eq!((task.timeouts.execution_timeout, task.timeouts.total_timeout), (60, 100));
        let mut other = job("ops", Task::default());
        defaults().fill(&mut other);
        assert_eq!(other, job("ops", Task::default()));
    }

    #[test]
    fn what_a_job_says_counts_and_no_default_contradicts_it() {
        for ((execution, queue, total), expected) in [
            ((0, 0, 30), (30, 30)),
            ((0, 20, 50), (30, 50)),
            ((90, 30, 0), (90, 120)),
            ((0, 300, 0), (60, 360)),
            ((5, 0, 10), (5, 10)),
        ] {
            let mut said = Task::default();
            said.resources.cpu = "2".to_owned();
            said.timeouts.execution_timeout = execution;
            said.timeouts.queue_timeout = queue;
            said.timeouts.total_timeout = total;
            let mut job = Manifest { priority: 1, ..job("batch", said) };
            defaults().fill(&mut job);
            let task = &job.tasks[0];
            assert_eq!((job.priority, task.resources.cpu.as_str()), (1, "2"));
            assert_eq!((task.timeouts.execution_timeout, task.timeouts.total_timeout), expected);
        }
    }
}
