//! Which fields there are, and what to say about those that are not.

use crate::problem::{listed, nearest};

/// One kind of object in a job file.
pub(crate) struct Shape {
    /// What it is, for messages.
    pub(crate) name: &'static str,
    /// How to get there, for hints.
    pub(crate) place: &'static str,
    /// Its fields, canonical spelling.
    pub(crate) fields: &'static [&'static str],
}

pub(crate) const JOB: Shape = Shape {
    name: "a job",
    place: "the top level",
    fields: &[
        "Name",
        "Namespace",
        "Type",
        "Priority",
        "Count",
        "Constraints",
        "Meta",
        "Labels",
        "Rollout",
        "Retry",
        "Tasks",
    ],
};
pub(crate) const ROLLOUT: Shape = Shape {
    name: "a roll-out",
    place: "`Rollout`",
    fields: &["WaitForAbsent", "MaxParallel", "Canary", "Pause", "StopAfterFailures", "Order"],
};
pub(crate) const RETRY: Shape =
    Shape { name: "a retry rule", place: "`Retry`", fields: &["Attempts", "Backoff", "On"] };
pub(crate) const TASK: Shape = Shape {
    name: "a task",
    place: "`Tasks[0]`",
    fields: &[
        "Name",
        "Engine",
        "Publisher",
        "Env",
        "Meta",
        "Secrets",
        "InputSources",
        "ResultPaths",
        "Resources",
        "Network",
        "Timeouts",
    ],
};
pub(crate) const TYPED: Shape = Shape {
    name: "an engine, source or publisher",
    place: "`Engine` or `Source`",
    fields: &["Type", "Params"],
};
pub(crate) const CONSTRAINT: Shape =
    Shape { name: "a constraint", place: "`Constraints[0]`", fields: &["Key", "Operator", "Values"] };
pub(crate) const INPUT_SOURCE: Shape = Shape {
    name: "an input source",
    place: "`Tasks[0].InputSources[0]`",
    fields: &["Source", "Alias", "Target"],
};
pub(crate) const SECRET: Shape =
    Shape { name: "a secret", place: "`Tasks[0].Secrets[0]`", fields: &["Name", "Target", "Mode", "Env"] };
pub(crate) const RESULT_PATH: Shape =
    Shape { name: "a result path", place: "`Tasks[0].ResultPaths[0]`", fields: &["Name", "Path"] };
pub(crate) const RESOURCES: Shape =
    Shape { name: "resources", place: "`Tasks[0].Resources`", fields: &["CPU", "Memory", "Disk", "GPU"] };
pub(crate) const NETWORK: Shape =
    Shape { name: "a network", place: "`Tasks[0].Network`", fields: &["Type", "Domains", "Ports"] };
pub(crate) const TIMEOUTS: Shape = Shape {
    name: "timeouts",
    place: "`Tasks[0].Timeouts`",
    fields: &["ExecutionTimeout", "QueueTimeout", "TotalTimeout", "CPUTime"],
};

/// Fields that only the server sets; a job read back from it has them.
pub(crate) const SERVER_OWNED: &[&str] = &["ID", "State", "Version", "Revision", "CreateTime", "ModifyTime"];

/// Names that people know from elsewhere, and where what they mean goes here. In lower case.
const ELSEWHERE: &[(&str, &str)] = &[
    ("entrymodule", "it belongs in `Tasks[0].Engine.Params`"),
    ("entrypoint", "it belongs in `Tasks[0].Engine.Params`"),
    ("parameters", "it belongs in `Tasks[0].Engine.Params`"),
    ("importmodules", "it belongs in `Tasks[0].Engine.Params`"),
    ("sourcepath", "it belongs in `Params` of an input's `Source`"),
    ("readwrite", "it belongs in `Params` of an input's `Source`"),
    ("createas", "it belongs in `Params` of an input's `Source`"),
    ("filemode", "it belongs in `Params` of an input's `Source`"),
    ("filemodes", "it belongs in `Params` of an input's `Source`"),
    ("dirmode", "it belongs in `Params` of an input's `Source`"),
    ("owner", "it belongs in `Params` of an input's `Source`"),
    ("scratch", "it is a type of input source: `{Target: /tmp, Source: {Type: scratch}}`"),
    ("environmentvariables", "write the environment as a map: `Env: {NAME: value}` in the task"),
    ("environment", "write the environment as a map: `Env: {NAME: value}` in the task"),
    ("image", "there are no container images here: compile the program to WASM"),
    ("inputs", "write `InputSources`"),
    ("outputs", "write `ResultPaths`"),
    ("timeout", "write `Timeouts: {TotalTimeout: SECONDS}` in the task"),
    ("secret", "write `Secrets: [{Name: NAME, Target: /secrets/NAME}]` in the task"),
    ("nodeselectors", "write `Constraints`"),
    ("selector", "write `Constraints`"),
    (
        "apiversion",
        "this is the form of old Bacalhau job files; `Name`, `Type` and `Tasks` are at the top level now",
    ),
    ("kind", "write `Type`"),
    (
        "spec",
        "this is the form of old Bacalhau job files; `Name`, `Type` and `Tasks` are at the top level now",
    ),
    ("metadata", "write `Name`, `Labels` and `Meta` at the top level"),
];

/// The way out for a field that is not there: a near name, or the place where it belongs.
pub(crate) fn hint(shape: &Shape, written: &str) -> String {
    if let Some((_, hint)) = ELSEWHERE.iter().find(|(name, _)| written.eq_ignore_ascii_case(name)) {
        return (*hint).to_owned();
    }
    if let Some(name) = nearest(written, shape.fields.iter().copied()) {
        return format!("did you mean `{name}`?");
    }
    let all = [
        &JOB,
        &TASK,
        &ROLLOUT,
        &RETRY,
        &CONSTRAINT,
        &INPUT_SOURCE,
        &SECRET,
        &RESULT_PATH,
        &RESOURCES,
        &NETWORK,
        &TIMEOUTS,
    ];
    let home = all.iter().find_map(|other| {
        Some((other, other.fields.iter().find(|name| name.eq_ignore_ascii_case(written))?))
    });
    match home {
        Some((other, name)) => format!("`{name}` belongs to {} ({})", other.name, other.place),
        None => format!("{} has {}", shape.name, listed(shape.fields.iter().copied())),
    }
}
