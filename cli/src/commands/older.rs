//! Commands that Bacalhau had or has, and that are called otherwise here or do not exist.

use std::ffi::OsString;

use clap::CommandFactory;

use crate::{cli::Cli, error::Error};

/// Words that nothing here begins with, and what to type instead (reference cli-config-behaviour 1.2).
const INSTEAD: &[(&str, &str)] = &[
    ("create", "skrei job run FILE"),
    ("list", "skrei job list"),
    ("describe", "skrei job describe JOB"),
    ("cancel", "skrei job stop JOB"),
    ("stop", "skrei job stop JOB"),
    ("logs", "skrei job logs JOB"),
    ("get", "skrei job get JOB"),
    ("validate", "skrei job validate FILE"),
    ("id", "skrei agent node"),
];

/// Words that stand for what does not exist here, and why.
const NOT_HERE: &[(&str, &str, &str)] = &[
    (
        "docker",
        "there is no container engine here: jobs are WebAssembly modules",
        "compile the program for wasm32-wasip1, and run it with `skrei job run FILE`; see docs/guide/guest-toolchain.md",
    ),
    (
        "exec",
        "job types of one's own are not translated here",
        "write a job file, and run it with `skrei job run FILE`",
    ),
    ("license", "skrei needs no licence key", "`skrei version` shows what runs"),
];

const NO_EFFECT: &str = "it has had no effect in Bacalhau since 1.5; leave it out";
const NO_BROKER: &str =
    "there is no message broker: nodes dial the orchestrator's port (-c Orchestrator.Port=PORT)";
const NO_PEERS: &str =
    "there is no network of peers: nodes dial one orchestrator (-c Compute.Orchestrators=HOST:PORT)";
const NO_IPFS: &str = "IPFS is not supported; leave it out";
const FIXED_PATHS: &str = "stores lie at fixed places below the data directory (--data-dir)";
const NO_WEB_PAGE: &str = "there is no web page; `skrei job list` and `skrei node list` show what there is";
const RESULTS: &str = "results are served by the orchestrator's API (-c API.PublicURL=URL)";

/// Flags that Bacalhau had or has, and what to write instead or why there is nothing to write (reference
/// cli-config-behaviour 1.2 and 1.8). One that ends in a dash stands for all that begin so. Flags that are understood are not
/// here.
const FLAGS: &[(&str, &str)] = &[
    ("--job-selection-reject-stateless", "write -c JobAdmissionControl.RejectStatelessJobs=true"),
    ("--job-selection-probe-exec", "write -c JobAdmissionControl.ProbeExec=COMMAND"),
    ("--job-selection-probe-http", "write -c JobAdmissionControl.ProbeHTTP=URL"),
    ("--job-selection-accept-networked", "write -c Compute.Network.Allow=http, or full"),
    ("--job-selection-data-locality", NO_EFFECT),
    (
        "--default-job-execution-timeout",
        "write -c JobDefaults.Ops.Task.Timeouts.ExecutionTimeout=TIME, and the same with Batch",
    ),
    ("--job-execution-timeout-", NO_EFFECT),
    ("--job-negotiation-timeout", NO_EFFECT),
    ("--min-job-execution-timeout", NO_EFFECT),
    ("--max-job-execution-timeout", NO_EFFECT),
    ("--node-info-store-ttl", NO_EFFECT),
    ("--limit-job-", NO_EFFECT),
    ("--ignore-physical-resource-limits", NO_EFFECT),
    ("--disable-engine", "there is one engine, wasm; leave it out"),
    ("--disabled-publisher", "a job names its publisher; leave it out"),
    ("--disable-storage", "write -c InputSources.Disabled=TYPE,TYPE"),
    ("--default-publisher", "write Publisher: {Type: TYPE} in the task of a job file"),
    ("--local-publisher-", RESULTS),
    ("--web-ui", NO_WEB_PAGE),
    ("--web-ui-", NO_WEB_PAGE),
    ("--name-provider", "a node's name is given once, with --name"),
    ("--advertised-address", NO_BROKER),
    ("--network-", NO_BROKER),
    ("--cluster-", NO_BROKER),
    ("--compute-execution-store-", FIXED_PATHS),
    ("--requester-job-store-", FIXED_PATHS),
    ("--peer", NO_PEERS),
    ("--swarm-port", NO_PEERS),
    ("--private-internal-ipfs", NO_IPFS),
    ("--ipfs-", NO_IPFS),
    ("--log-level", "write -c Logging.Level=LEVEL, or set LOG_LEVEL"),
    ("--origin", "`skrei config list` says where each value comes from without it"),
    ("--group-events", "events are grouped by node on a terminal; leave it out"),
    (
        "--hybrids",
        "one process is both with `skrei serve --orchestrator --compute`; a devstack has compute nodes (--computes)",
    ),
    ("--hybrid-nodes", "a devstack has compute nodes: write --computes N"),
    ("--compute-nodes", "write --computes N"),
    ("--requester-nodes", "write --orchestrators 1"),
    ("--bad-computes", "a devstack has sound nodes alone; leave it out"),
    ("--bad-compute-actors", "a devstack has sound nodes alone; leave it out"),
    ("--cpu-profiling-file", "use a profiler of the system, such as perf"),
    ("--memory-profiling-file", "use a profiler of the system, such as heaptrack"),
];

/// What a flag that no command has is answered with, if it is an older one.
pub(crate) fn flag(written: &str) -> Option<Error> {
    let flag = written.split('=').next().unwrap_or(written);
    let is_meant = |(older, _): &&(&str, &str)| match older.ends_with('-') {
        true => flag.starts_with(older) && flag.len() > older.len(),
        false => flag == *older,
    };
    let (_, instead) = FLAGS.iter().find(is_meant)?;
    Some(Error::usage(format!("`{flag}` is a flag of Bacalhau's that is not here")).hint(*instead))
}

/// A distance up to which a word is taken for a slip.
const SLIP_MAX: usize = 2;

/// What a first word that is no command is answered with.
pub(super) fn answer(words: &[OsString]) -> Error {
    let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some((_, instead)) = INSTEAD.iter().find(|(older, _)| *older == word) {
        return Error::usage(format!("`skrei {word}` has another name")).hint(format!("type `{instead}`"));
    }
    if let Some((_, why, instead)) = NOT_HERE.iter().find(|(known, ..)| *known == word) {
        return Error::usage(format!("`skrei {word}`: {why}")).hint(*instead);
    }
    let command = Cli::command();
    let names = command.get_subcommands().filter(|known| !known.is_hide_set()).map(clap::Command::get_name);
    let nearest = names.map(|name| (strsim::damerau_levenshtein(name, &word), name)).min();
    let error = Error::usage(format!("there is no command `{word}`"));
    match nearest {
        Some((distance, name)) if distance <= SLIP_MAX => error.hint(format!("did you mean `skrei {name}`?")),
        _ => error.hint("`skrei help` lists the commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_older_word_is_a_command_of_ours() {
        let command = Cli::command();
        for word in INSTEAD.iter().map(|(word, _)| word).chain(NOT_HERE.iter().map(|(word, ..)| word)) {
            assert!(command.find_subcommand(word).is_none(), "{word}");
        }
    }

    #[test]
    fn older_flags_are_answered_with_what_to_write() {
        assert!(flag("--nonsense").is_none());
        assert!(flag("--network-advertise=x").is_some() && flag("--network").is_none());
        // What is said to be a key is one.
        for (older, instead) in FLAGS {
            for key in instead.split("-c ").skip(1).filter_map(|rest| rest.split('=').next()) {
                assert!(crate::config::key::find(key).is_some(), "{older}: {key}");
            }
        }
    }

    #[test]
    fn no_command_has_a_flag_that_is_said_to_be_missing() {
        fn flags(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().filter_map(|flag| Some(format!("--{}", flag.get_long()?))));
            command.get_subcommands().for_each(|sub| flags(sub, found));
        }
        let mut found = Vec::new();
        flags(&Cli::command(), &mut found);
        for known in
            found.iter().filter(|known| !matches!(known.as_str(), "--network-host" | "--network-port"))
        {
            assert!(flag(known).is_none(), "{known}");
        }
    }

    #[test]
    fn what_is_typed_instead_exists() {
        for (_, instead) in INSTEAD {
            let mut command = Cli::command();
            for word in instead.split(' ').skip(1).take_while(|word| word.chars().all(char::is_lowercase)) {
                command = command.find_subcommand(word).unwrap_or_else(|| panic!("{instead}")).clone();
            }
        }
    }
}
