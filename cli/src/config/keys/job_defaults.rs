//! What jobs get for what they do not say, by their type.

use crate::config::key::{Key, Kind};

/// The keys of one type of jobs.
macro_rules! of_type {
    ($kind:literal) => {
        [
            Key {
                name: concat!("JobDefaults.", $kind, ".Priority"),
                kind: Kind::Number,
                default: "0",
                doc: "Priority of jobs of this type that have none: higher goes first.",
            },
            Key {
                name: concat!("JobDefaults.", $kind, ".Task.Resources.CPU"),
                kind: Kind::Cpu,
                default: "0",
                doc: "Cores (`2`, `500m`) of tasks that ask for none. `0`: as the reference of job files says.",
            },
            Key {
                name: concat!("JobDefaults.", $kind, ".Task.Resources.Memory"),
                kind: Kind::Bytes,
                default: "0",
                doc: "Memory (`512MB`, `1Gi`) of tasks that ask for none. `0`: as the reference of job files says.",
            },
            Key {
                name: concat!("JobDefaults.", $kind, ".Task.Resources.Disk"),
                kind: Kind::Bytes,
                default: "0",
                doc: "Disk space of tasks that ask for none. `0`: none.",
            },
        ]
    };
}

/// The keys of one type of jobs that come to an end.
macro_rules! of_type_that_ends {
    ($kind:literal) => {
        [
            Key {
                name: concat!("JobDefaults.", $kind, ".Task.Timeouts.ExecutionTimeout"),
                kind: Kind::Duration,
                default: "0s",
                doc: "How long an execution may run if its job does not say, in whole seconds. `0s`: for ever.",
            },
            Key {
                name: concat!("JobDefaults.", $kind, ".Task.Timeouts.TotalTimeout"),
                kind: Kind::Duration,
                default: "0s",
                doc: "How long a job may take as a whole if it does not say, in whole seconds. `0s`: for ever.",
            },
        ]
    };
}

pub(super) const KEYS: [&[Key]; 6] = [
    &of_type!("Batch"),
    &of_type_that_ends!("Batch"),
    &of_type!("Ops"),
    &of_type_that_ends!("Ops"),
    &of_type!("Service"),
    &of_type!("Daemon"),
];
