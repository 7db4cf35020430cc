//! What the program runs as.

use std::env;

/// What the program runs as. Outside of skrei there is no job, and none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The job's id.
    pub id: String,
    /// This attempt's id.
    pub execution: String,
    /// The node's name.
    pub node: String,
    /// `batch`, `ops`, `service` or `daemon`.
    pub kind: String,
    /// Which part of a `batch` this is, from 0.
    pub partition: u32,
    /// How many parts there are; 1 if there are no parts.
    pub partitions: u32,
}

impl Job {
    /// The job this program was started for; none if nobody says so.
    pub fn current() -> Option<Job> {
        Job::from(|name| env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Option<Job> {
        let number = |name, otherwise| variable(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
        Some(Job {
            id: variable("SKREI_JOB_ID")?,
            execution: variable("SKREI_EXECUTION_ID")?,
            node: variable("SKREI_NODE_ID").unwrap_or_default(),
            kind: variable("SKREI_JOB_TYPE").unwrap_or_default(),
            partition: number("SKREI_PARTITION_INDEX", 0),
            partitions: number("SKREI_PARTITION_COUNT", 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_what_the_environment_says_and_none_without() {
        assert_eq!(Job::from(|_| None), None);
        let job = Job::from(|name| {
            Some(
                if name.ends_with("INDEX") {
                    "2"
                } else if name.ends_with("COUNT") {
                    "5"
                } else {
                    "x"
                }
                .into(),
            )
        });
        let job = job.unwrap();
        assert_eq!((job.partition, job.partitions, job.node.as_str()), (2, 5, "x"));
    }
}
