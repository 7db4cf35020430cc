//! What became of a job on each node.

use std::collections::BTreeMap;

use skrei_protocol::api::execution::{Execution, compute_state};

use crate::{
    exit, secret,
    terminal::table::{Mood, Table},
};

/// Nodes, how each ended, and what it has to say.
pub(crate) fn table(executions: &[Execution]) -> Table {
    let mut table = Table::new(&["node", "state", "exit code", "message"]);
    for execution in latest(executions) {
        let state = execution.compute_state.state_type;
        table.moody_row([
            (execution.node_id.as_str(), Mood::Plain),
            (word(execution), mood(state)),
            (exit_code(execution).as_str(), Mood::Plain),
            (message(execution).as_str(), Mood::Plain),
        ]);
    }
    table
}

/// How many did not do what they were asked.
pub(crate) fn not_completed(executions: &[Execution]) -> usize {
    let is_completed =
        |execution: &&&Execution| execution.compute_state.state_type == compute_state::COMPLETED;
    let latest = latest(executions);
    latest.len() - latest.iter().filter(is_completed).count()
}

/// The exit code that stands for what the guests ended with: the largest, within what a process can end with; that of a
/// failed job where one ended without.
pub(crate) fn guests_exit_code(executions: &[Execution]) -> u8 {
    let code = |execution: &&Execution| {
        let code = execution.run_output.as_ref().map_or(0, |output| output.exit_code);
        u8::try_from(code).unwrap_or(exit::GUEST_MAX).min(exit::GUEST_MAX)
    };
    match latest(executions).iter().map(code).max() {
        None | Some(0) => exit::JOB_FAILED,
        Some(code) => code,
    }
}

/// Ways out, each with the nodes it is for, once.
pub(crate) fn hints(executions: &[Execution]) -> Vec<String> {
    let mut nodes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for execution in latest(executions) {
        if let Some(hint) = execution.compute_state.details.get("Hint") {
            nodes.entry(hint).or_default().push(&execution.node_id);
        }
    }
    nodes.into_iter().map(|(hint, nodes)| format!("{}: {hint}", nodes.join(", "))).collect()
}

/// What each node's guest wrote, as far as it was kept; nodes whose guest wrote nothing are left out.
pub(crate) fn outputs(executions: &[Execution]) -> Vec<(String, String)> {
    let output = |execution: &&Execution| {
        let output = execution.run_output.as_ref()?;
        let more = |truncated: bool| if truncated { "\n[there is more: skrei job logs]\n" } else { "" };
        let both = [
            output.stdout.as_str(),
            more(output.stdout_truncated),
            output.stderr.as_str(),
            more(output.stderr_truncated),
        ];
        let both = both.concat();
        (!both.trim().is_empty()).then(|| (execution.node_id.clone(), secret::shown(&both).into_owned()))
    };
    latest(executions).iter().filter_map(output).collect()
}

/// What each node's guest told of what it found: node, key, JSON.
pub(crate) fn values(executions: &[Execution]) -> Vec<(String, String, String)> {
    let all = latest(executions).into_iter().flat_map(|execution| {
        let values = execution.run_output.iter().flat_map(|output| &output.values);
        values.map(|(key, value)| {
            let shown = value.to_string();
            (execution.node_id.clone(), key.clone(), secret::shown(&shown).into_owned())
        })
    });
    all.collect()
}

/// How good or bad an execution's state is.
pub(crate) fn mood(state: u8) -> Mood {
    match state {
        compute_state::COMPLETED => Mood::Good,
        compute_state::ACCEPTED | compute_state::RUNNING => Mood::Open,
        _ => Mood::Bad,
    }
}

/// The newest attempt of each part on each node, in the order of nodes.
fn latest(executions: &[Execution]) -> Vec<&Execution> {
    let mut newest: BTreeMap<(&str, u32), &Execution> = BTreeMap::new();
    for execution in executions {
        let place = (execution.node_id.as_str(), execution.partition_index);
        let known = newest.entry(place).or_insert(execution);
        if execution.create_time >= known.create_time {
            *known = execution;
        }
    }
    newest.into_values().collect()
}

/// The state's word; a lost node is told from a failed guest.
fn word(execution: &Execution) -> &'static str {
    let state = &execution.compute_state;
    match state.details.get("Cause").map(String::as_str) {
        Some("NodeLost") => "Lost",
        _ => compute_state::word(state.state_type),
    }
}

/// The guest's exit code, where there was one.
fn exit_code(execution: &Execution) -> String {
    let state = &execution.compute_state;
    let exited = state.state_type == compute_state::COMPLETED
        || state.details.get("Cause").is_some_and(|cause| cause == "Exited");
    match &execution.run_output {
        Some(output) if exited => output.exit_code.to_string(),
        _ => "-".to_owned(),
    }
}

/// How far the guest says it is, the reason, or the last thing the guest said.
fn message(execution: &Execution) -> String {
    if let Some(progress) = &execution.progress {
        return progress.in_words();
    }
    let said = execution.run_output.as_ref().map(|output| match execution.compute_state.state_type {
        compute_state::COMPLETED => last_line(&output.stdout),
        _ => last_line(&output.stderr),
    });
    let said = secret::shown(said.unwrap_or_default()).into_owned();
    let reason = &execution.compute_state.message;
    match (reason.is_empty(), said.is_empty() || reason.contains(&said)) {
        (true, _) => said,
        (false, true) => reason.clone(),
        (false, false) => format!("{reason}: {said}"),
    }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn execution(node: &str, created: i64, state: u8, reason: &str, cause: &str, stdout: &str) -> Execution {
        let details =
            if cause.is_empty() { json!({}) } else { json!({"Cause": cause, "Hint": "look there"}) };
        serde_json::from_value(json!({
            "ID": format!("e-{created}"), "Namespace": "default", "NodeID": node, "JobID": "j", "JobVersion": 1,
            "AllocatedResources": {"Tasks": {}}, "DesiredState": {"StateType": 2},
            "ComputeState": {"StateType": state, "Message": reason, "Details": details},
            "PublishedResult": {"Type": ""},
            "RunOutput": {"Stdout": stdout, "StdoutTruncated": false, "stderr": "", "StderrTruncated": false,
                          "ExitCode": 3, "ErrorMsg": ""},
            "Revision": 1, "CreateTime": created, "ModifyTime": created
        }))
        .unwrap()
    }

    #[test]
    fn each_node_has_one_row_for_its_newest_attempt() {
        let executions = [
            execution("b", 1, compute_state::FAILED, "exited with code 3", "Exited", ""),
            execution("a", 1, compute_state::FAILED, "trapped", "Trapped", ""),
            execution("a", 2, compute_state::COMPLETED, "", "", "first\nlast\n\n"),
        ];
        assert_eq!(
            table(&executions).text(crate::terminal::table::Look::PLAIN),
            "NODE  STATE      EXIT CODE  MESSAGE\na     Completed  3          last\nb     Failed     3          exited with code 3\n"
        );
        assert_eq!(not_completed(&executions), 1);
        assert_eq!(hints(&executions), ["b: look there"]);
    }

    #[test]
    fn a_node_that_disappeared_has_no_exit_code() {
        let lost = execution("a", 1, compute_state::FAILED, "not heard from", "NodeLost", "");
        assert_eq!((word(&lost), exit_code(&lost).as_str()), ("Lost", "-"));
    }
}
