//! From how a guest ended to how its execution ended.

use std::sync::Arc;

use skrei_job::{
    NodeId,
    life::ExecutionState,
    outcome::{Cause, DENIALS_MAX, Denial, Failure, OUTPUT_HEAD_BYTES, Refusal, RunOutput},
    resources,
    spec::Task,
    told::Values,
};
use skrei_runtime::{Ending, Limit, NetworkUsage, Outcome, Trap};
use skrei_vault::Searched;

use crate::admission;

/// Output captured beside the log: what travels with the outcome, and one byte that tells whether there was more.
pub(crate) const CAPTURED_BYTES: usize = OUTPUT_HEAD_BYTES + 1;

/// Why an execution is stopped from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The orchestrator wants it.
    Cancelled { reason: String },
    /// The node is shutting down and has waited long enough.
    Interrupted,
}

/// Why nothing ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unready {
    /// A rule of the node's owner, or something the node does not have.
    Refused(Refusal),
    /// The module or an input could not be made ready.
    Failed { message: String, hint: Option<String> },
}

impl From<Unready> for ExecutionState {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Refused(refusal) => Self::Refused(refusal),
            Unready::Failed { message, hint } => Self::Failed(Failure {
                cause: Cause::NotPrepared,
                message,
                hint,
                output: RunOutput::default(),
            }),
        }
    }
}

/// How an execution ended that was stopped before its guest started.
pub(crate) fn before_start(stop: Stop, node: &NodeId) -> ExecutionState {
    match stop {
        Stop::Cancelled { reason } => ExecutionState::Cancelled { reason },
        Stop::Interrupted => ExecutionState::Refused(admission::draining(node)),
    }
}

/// How an execution ended that had started here, and of which nothing is known here any more.
pub(crate) fn of_forgotten(node: &NodeId) -> ExecutionState {
    failed(
        Cause::Interrupted,
        format!("node `{node}` has lost what it wrote down of it: how far the guest came is not known"),
        Some("what the guest had done by then stays done; run the job again if that is safe".to_owned()),
        RunOutput::default(),
    )
}

/// How an execution ended that was stopped.
pub(crate) fn of_stop(stop: Stop, output: RunOutput) -> ExecutionState {
    match stop {
        Stop::Cancelled { reason } => ExecutionState::Cancelled { reason },
        Stop::Interrupted => failed(
            Cause::Interrupted,
            "the node was shut down while the guest ran".to_owned(),
            Some("what the guest had done by then stays done; run the job again if that is safe".to_owned()),
            output,
        ),
    }
}

/// How an execution ended whose guest ran and told `values`. `stop` is what it was stopped for, if it was.
pub(crate) fn of_outcome(
    outcome: &Outcome,
    values: Values,
    task: &Task,
    stop: Option<Stop>,
) -> ExecutionState {
    let exit_code = if let Ending::Exited(code) = outcome.ending { Some(code) } else { None };
    let mut output = RunOutput::head(&outcome.stdout.bytes, &outcome.stderr.bytes, exit_code).with(values);
    output.denials = denials(&outcome.usage.network);
    match &outcome.ending {
        Ending::Exited(0) => ExecutionState::Completed(output),
        Ending::Exited(code) => {
            let hint = "the log says more: `skrei job logs`".to_owned();
            failed(Cause::Exited, format!("the guest exited with code {code}"), Some(hint), output)
        }
        Ending::Trapped(trap) => failed(Cause::Trapped, trapped(trap), None, output),
        Ending::HitLimit(Limit::WallTime) => {
            let time = task.timeouts.execution.unwrap_or_default();
            let hint = "raise `Timeouts: {ExecutionTimeout: …}` in the task".to_owned();
            failed(Cause::Timeout, format!("the guest ran longer than {time:?}"), Some(hint), output)
        }
        Ending::HitLimit(Limit::CpuTime) => {
            let time = task.timeouts.cpu.unwrap_or_default();
            let hint = "raise `Timeouts: {CPUTime: …}` in the task".to_owned();
            let message = format!("the guest computed longer than {time:?}");
            failed(Cause::Limit, message, Some(hint), output)
        }
        Ending::HitLimit(Limit::Memory) => {
            let memory = resources::bytes(admission::counted(&task.resources).memory_bytes);
            let hint = "raise `Resources: {Memory: …}` in the task".to_owned();
            failed(
                Cause::Limit,
                format!("the guest needs more than its {memory} of memory"),
                Some(hint),
                output,
            )
        }
        Ending::HitLimit(limit) => {
            failed(Cause::Limit, format!("the guest hit the {limit} limit"), None, output)
        }
        Ending::Cancelled => {
            let stop = stop.unwrap_or(Stop::Cancelled { reason: "stopped".to_owned() });
            of_stop(stop, output)
        }
        other => failed(Cause::Trapped, format!("the guest ended otherwise: {other}"), None, output),
    }
}

/// What the guest wanted of the network and did not get.
fn denials(usage: &NetworkUsage) -> Vec<Denial> {
    let told = |denial: &skrei_runtime::network::Denial| Denial {
        rule: denial.rule.as_str().to_owned(),
        message: denial.to_string(),
    };
    usage.denials.iter().take(DENIALS_MAX).map(told).collect()
}

/// The same, without the guest's secrets in what is said of it: the name of a host that it was denied is its own word.
pub(crate) fn without_secrets(mut state: ExecutionState, secrets: &Arc<Searched>) -> ExecutionState {
    let hide = |text: &mut String| {
        *text = String::from_utf8_lossy(&secrets.taken_out_of(text.as_bytes())).into_owned();
    };
    let output = match &mut state {
        ExecutionState::Completed(output) => output,
        ExecutionState::Failed(failure) => {
            hide(&mut failure.message);
            &mut failure.output
        }
        _ => return state,
    };
    output.denials.iter_mut().for_each(|denial| hide(&mut denial.message));
    state
}

/// How an execution ended whose guest the sandbox could not run.
pub(crate) fn of_error(message: String) -> ExecutionState {
    failed(
        Cause::Limit,
        message,
        Some("run the job again later, or on another node".to_owned()),
        RunOutput::default(),
    )
}

/// Calls shown of a trapped guest's stack.
const FRAMES_SHOWN_MAX: usize = 8;

fn trapped(trap: &Trap) -> String {
    if trap.backtrace.is_empty() {
        return format!("the guest trapped: {}", trap.what);
    }
    let frames =
        trap.backtrace.iter().take(FRAMES_SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(" < ");
    format!("the guest trapped: {} (in {frames})", trap.what)
}

fn failed(cause: Cause, message: String, hint: Option<String>, output: RunOutput) -> ExecutionState {
    ExecutionState::Failed(Failure { cause, message, hint, output })
}
