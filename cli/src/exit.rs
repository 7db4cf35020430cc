//! Exit codes: part of the interface, listed in docs/reference/exit-codes.md.

/// Everything asked for was done.
pub(crate) const SUCCESS: u8 = 0;
/// The job ended, and not well.
pub(crate) const JOB_FAILED: u8 = 1;
/// The command line or the configuration is wrong.
pub(crate) const USAGE: u8 = 2;
/// There is no such thing.
pub(crate) const NOT_FOUND: u8 = 3;
/// What was asked for is wrong or not allowed.
pub(crate) const REFUSED: u8 = 4;
/// Nobody answers.
pub(crate) const UNREACHABLE: u8 = 5;
/// It took longer than allowed.
pub(crate) const TIMEOUT: u8 = 6;
/// Something this process needs for itself cannot be had.
pub(crate) const UNAVAILABLE: u8 = 7;
/// A mistake in skrei.
pub(crate) const INTERNAL: u8 = 70;
/// Ctrl+C.
pub(crate) const INTERRUPTED: u8 = 130;

/// `skrei run`: the largest code a guest's own exit is passed through as.
pub(crate) const GUEST_MAX: u8 = 125;
/// `skrei run`: the module was not started.
pub(crate) const NOT_STARTED: u8 = 126;
/// `skrei run`: the guest trapped (128 + SIGABRT).
pub(crate) const TRAPPED: u8 = 134;
/// `skrei run`: the guest ran into its memory or stack limit (128 + SIGKILL).
pub(crate) const MEMORY_LIMIT: u8 = 137;
/// `skrei run`: the guest ran out of time (128 + SIGALRM).
pub(crate) const TIME_LIMIT: u8 = 142;

/// What one exit code stands for.
#[cfg(test)]
struct Meaning {
    code: u8,
    name: &'static str,
    meaning: &'static str,
}

#[cfg(test)]
const fn meaning(code: u8, name: &'static str, meaning: &'static str) -> Meaning {
    Meaning { code, name, meaning }
}

/// All codes but those of `skrei run`.
#[cfg(test)]
const COMMON: &[Meaning] = &[
    meaning(
        SUCCESS,
        "success",
        "Everything asked for was done. For `job run`: the job completed on every node.",
    ),
    meaning(
        JOB_FAILED,
        "job failed",
        "`job run`: the job ended as `Failed` or `Stopped`, or failed on at least one node. (See `--exit-code-from`.)",
    ),
    meaning(USAGE, "usage", "A flag, argument, environment variable or configuration key is wrong."),
    meaning(NOT_FOUND, "not found", "No such job, node, execution or file."),
    meaning(
        REFUSED,
        "refused",
        "The job file, its module or the request is invalid, or the orchestrator refused it. Nothing was started.",
    ),
    meaning(
        UNREACHABLE,
        "unreachable",
        "No orchestrator answers at the given address, or it stopped answering. A job submitted before may still run.",
    ),
    meaning(TIMEOUT, "timeout", "`--wait-timeout-secs` passed. The job goes on."),
    meaning(
        UNAVAILABLE,
        "unavailable",
        "A server could not start: a port or data directory is in use or cannot be had.",
    ),
    meaning(INTERNAL, "internal", "A mistake in skrei; please report it."),
    meaning(
        INTERRUPTED,
        "interrupted",
        "Ctrl+C while waiting. A submitted job goes on. (Servers stop with 0.)",
    ),
];

/// The codes of `skrei run`.
#[cfg(test)]
const RUN: &[Meaning] = &[
    meaning(USAGE, "usage", "The command line is wrong. (A guest may exit with 2 as well.)"),
    meaning(
        GUEST_MAX,
        "guest",
        "Codes 0 to 125 are the guest's own. A larger one is given as 125, with a note on standard error.",
    ),
    meaning(
        NOT_STARTED,
        "not started",
        "The module is missing, is not WebAssembly, imports something unknown, or a directory cannot be granted.",
    ),
    meaning(INTERRUPTED, "interrupted", "Ctrl+C. The guest was stopped."),
    meaning(
        TRAPPED,
        "trapped",
        "The guest did what WebAssembly forbids, such as reaching `unreachable`: a panic, in most languages.",
    ),
    meaning(
        MEMORY_LIMIT,
        "memory limit",
        "The guest was refused memory (`--memory`) and gave up, or its calls were nested too deep.",
    ),
    meaning(TIME_LIMIT, "time limit", "The guest ran longer than `--timeout`."),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn table(meanings: &[Meaning]) -> String {
        let row = |m: &Meaning| format!("| {} | {} | {} |\n", m.code, m.name, m.meaning);
        let rows: String = meanings.iter().map(row).collect();
        format!("| Code | Name | Meaning |\n|---:|---|---|\n{rows}")
    }

    #[test]
    fn the_reference_page_lists_every_code() {
        let page = format!(
            "# Exit codes\n\nThese codes are part of the interface: a script may rely on them.\n\n{}\n\
             ## `--exit-code-from`\n\n`job run`, `job rerun` and `wasm run` end with 0 or 1 as the job did. With \
             `--exit-code-from guest` they end with the code of the guest itself, from 0 to 125; a larger one is given as 125. Of \
             several guests it is the largest, and where one ended without a code of its own (a trap, a limit, a refusal, a node \
             that was lost) and no other exited with more, it is 1. What keeps a job from being run at all has the codes above, \
             which a guest may use as well: `job describe` tells them apart.\n\n\
             ## `skrei run`\n\nThe guest's own exit code is passed through, so this command has codes of its own for all else.\n\n{}",
            table(COMMON),
            table(RUN)
        );
        crate::terminal::page::check("exit-codes.md", &page);
    }

    #[test]
    fn no_two_meanings_share_a_code() {
        for table in [COMMON, RUN] {
            let mut codes: Vec<u8> = table.iter().map(|meaning| meaning.code).collect();
            codes.dedup();
            assert_eq!(codes.len(), table.len());
            assert!(codes.is_sorted());
        }
    }
}
