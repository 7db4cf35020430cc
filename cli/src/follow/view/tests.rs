//! Frames as people see them: a job of one execution and one of a fleet, on terminals of three widths.

use serde_json::json;
use skrei_protocol::api::told::Progress;

use super::*;
use crate::follow::words::tests::entry;

const LOOK: Look = Look { style: Style::PLAIN, zone: TimeZone::UTC };

/// A job of this kind that nothing is known of yet.
fn view(kind: &str) -> View {
    let answer = json!({
        "Job": {
            "ID": "j-1b2c3d4e-6a45-457e-825c-40fd2fad768f", "Name": "deploy-certs", "Namespace": "default", "Type": kind,
            "Priority": 0, "Count": 1, "Constraints": [], "Meta": {}, "Labels": {}, "Tasks": [],
            "State": {"StateType": "Pending", "Message": ""}, "Version": 1, "Revision": 1,
            "CreateTime": 0, "ModifyTime": 0,
        }
    });
    View::new(&serde_json::from_value(answer).unwrap())
}

fn event(node: &str, state: &str, message: &str) -> HistoryEntry {
    let mut event = entry(node, state, message);
    event.execution_id = format!("e-{node}-6a45-457e-825c-40fd2fad768f");
    event
}

fn telling(node: &str, fraction: f64, message: &str) -> ProgressEvent {
    ProgressEvent {
        execution_id: format!("e-{node}-6a45-457e-825c-40fd2fad768f"),
        node_id: node.to_owned(),
        progress: Progress { fraction, message: message.to_owned() },
    }
}

/// What stays and, below a line, what stands for the moment; on each of three terminals.
fn shown(make: impl Fn() -> View, rows: usize) -> String {
    [40, 80, 200]
        .map(|columns| {
            let mut view = make();
            let size = Size { columns, rows };
            let lines = view.take_lines(size, &LOOK);
            let frame = view.frame(size, Duration::from_secs(65), &LOOK);
            assert!(frame.len() + 2 <= rows.max(2), "{frame:#?}");
            for line in &frame {
                assert!(fit::columns(line) < columns, "too wide for {columns}: {line}");
            }
            format!("{columns} columns\n{}\n----\n{}\n", lines.join("\n"), frame.join("\n"))
        })
        .join("\n")
}

/// 120 nodes of which some have gone far, some wrong, and some are to come.
fn fleet() -> View {
    let mut view = view("ops");
    let counts = json!({"Phase": "Going", "Done": 0, "Running": 120, "Waiting": 30, "Missed": 5, "Failed": 0,
                        "Refused": 0, "Nodes": {}});
    view.count(&serde_json::from_value(counts).unwrap());
    let node = |number: usize| format!("web-{number:03}");
    for number in 0..120 {
        let node = node(number);
        view.notice(&event(&node, "Running", "Running"));
        let ended = match number {
            0..70 if number % 9 == 4 => ("Failed", "exited with code 3: the disk is full".to_owned()),
            0..70 => ("Completed", "Completed successfully".to_owned()),
            70..72 => (
                "Refused",
                format!("Refused by {node}: `/etc/nginx/ssl` is allowed as `ro`, and `rw` is asked for"),
            ),
            72 => ("Lost", format!("Lost: {node} was not heard from for 30 s")),
            _ => continue,
        };
        view.notice(&event(&node, ended.0, &ended.1));
    }
    view.tell(&telling("web-080", 0.5, "copying"));
    view.tell(&telling(
        "web-081",
        0.25,
        "reading\x1b[2J the old\nfiles, which takes its time on a slow disk",
    ));
    view
}

#[test]
fn a_single_execution_has_its_events_and_its_output() {
    let make = || {
        let mut view = view("ops");
        view.notice(&event("web-1", "Assigned", "Requested execution on web-1"));
        view.notice(&event("web-1", "Running", "Running"));
        view.say("reading /etc/nginx/ssl\n\x1b]0;owned\x07done\r\n");
        view.tell(&telling("web-1", 0.4, "writing"));
        view
    };
    insta::assert_snapshot!(shown(make, 24));
}

#[test]
fn a_failure_is_wrapped_under_its_column() {
    let make = || {
        let mut view = view("ops");
        view.notice(&event(
            "web-1",
            "Refused",
            "Refused by web-1: the path `/etc/nginx/ssl/conf.d/certificates` is on no entry of the allow-list",
        ));
        view
    };
    insta::assert_snapshot!(shown(make, 24));
}

#[test]
fn a_fleet_has_a_bar_counts_and_a_mark_for_each_node() {
    insta::assert_snapshot!(shown(fleet, 24));
}

#[test]
fn what_a_low_terminal_has_no_room_for_is_left_out() {
    insta::assert_snapshot!(shown(fleet, 7));
    for rows in 0..10 {
        assert!(
            fleet().frame(Size { columns: 80, rows }, Duration::ZERO, &LOOK).len() <= rows.saturating_sub(2)
        );
    }
}

#[test]
fn ten_thousand_nodes_share_marks_and_the_worst_is_seen() {
    let make = || {
        let mut view = view("daemon");
        for number in 0..10_000 {
            let state = if number == 4_321 { "Failed" } else { "Running" };
            view.notice(&event(&format!("node-{number:05}"), state, "trapped"));
        }
        view
    };
    insta::assert_snapshot!(shown(make, 24));
}

#[test]
fn parts_of_a_batch_keep_their_place_when_another_node_tries_again() {
    let mut view = view("batch");
    let of_part = |node: &str, state: &str, part: &str| {
        let mut event = event(node, state, "not heard from");
        event.event.details.insert("Partition".to_owned(), part.to_owned());
        event
    };
    view.notice(&of_part("a", "Running", "0"));
    view.notice(&of_part("b", "Running", "1"));
    view.notice(&of_part("a", "Lost", "0"));
    view.notice(&of_part("c", "Running", "0"));
    // The first node's word comes late, and is about an attempt that was replaced.
    view.notice(&of_part("a", "Completed", "0"));
    let frame = view.frame(Size { columns: 80, rows: 24 }, Duration::ZERO, &LOOK).join("\n");
    assert!(frame.contains("0 of 2") && frame.contains("> 2 running"), "{frame}");
}

#[test]
fn any_size_of_terminal_gets_a_frame() {
    let (fleet, single) = (fleet(), view("batch"));
    for columns in 0..90 {
        for rows in 0..12 {
            for view in [&fleet, &single] {
                for line in view.frame(Size { columns, rows }, Duration::from_secs(9), &LOOK) {
                    assert!(fit::columns(&line) <= columns, "{columns}x{rows}: {line:?}");
                }
            }
        }
    }
}
