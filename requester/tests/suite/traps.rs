//! The traps that implementations of this API fall into (reference 11), each a test by its number. Those about what a
//! guest sees and does (12 and 13, the second half of 8 and 15) are in tests/system/bacalhau.rs.

use futures_util::StreamExt;
use reqwest::{Method, header};
use serde_json::{Value, json};
use skrei_job::life::ExecutionState;
use skrei_protocol::link::{FromNode, LogChunk, LogPage, LogPiece, Stream, ToNode};
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::{
    harness::{Orchestrator, completed, job},
    http::{answer, go_body, job_with, python_body, task_with},
};

#[tokio::test(flavor = "multi_thread")]
async fn trap_01_states_of_executions_are_numbers_and_running_is_5() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let assignment = node.assignment().await;
    let path = format!("/orchestrator/jobs/{id}/executions");
    let states = async || {
        let list = orchestrator.get(&path).await.ok();
        let item = &list["Items"][0];
        (item["ComputeState"]["StateType"].as_u64(), item["DesiredState"]["StateType"].as_u64())
    };
    assert_eq!(states().await, (Some(3), Some(1)));
    node.report(&assignment.execution, ExecutionState::Running).await;
    assert_eq!(states().await, (Some(5), Some(1)));
    node.report(&assignment.execution, completed("")).await;
    assert_eq!(states().await, (Some(9), Some(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_02_a_history_has_a_token_exactly_as_long_as_it_may_grow() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let assignment = node.assignment().await;
    let read = async |query: &str| {
        let page = orchestrator.get(&format!("/orchestrator/jobs/{id}/history?{query}")).await.ok();
        (page["Items"].as_array().unwrap().len(), page["NextToken"].as_str().unwrap().to_owned())
    };
    assert!(!read("").await.1.is_empty(), "the job lives");
    let short = &assignment.execution.as_str()[..10];
    assert!(!read(&format!("execution_id={short}")).await.1.is_empty(), "its execution lives");
    node.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    let (all, token) = read("").await;
    assert!(all > 4 && token.is_empty(), "read to its end: {all} {token}");
    let (first, token) = read("limit=2").await;
    assert!(first == 2 && !token.is_empty(), "more is stored");
    assert_eq!(read(&format!("limit=100&next_token={token}")).await, (all - 2, String::new()));
    assert_eq!(read(&format!("execution_id={short}")).await.1, "", "also by the beginning of an id");
    let (jobs, executions) = (read("event_type=job").await.0, read("event_type=execution").await.0);
    assert_eq!(jobs + executions, all);
    assert_eq!(read("since=9999999999").await.0, 0);
    assert_eq!(
        read("since=1&order_by=x&reverse=true&node_id=").await.0,
        all,
        "what has no meaning is ignored"
    );
    let other = orchestrator.put_job(&job_with("batch", json!({"Name": "lives"}))).await;
    // Whoever follows an execution that there is not would ask for as long as the job lives.
    for unknown in ["e-x", "e-00000000-0000-4000-8000-000000000000"] {
        let path = format!("/orchestrator/jobs/{other}/history?execution_id={unknown}");
        orchestrator.get(&path).await.error(404);
    }
    orchestrator.get(&format!("/orchestrator/jobs/{id}/history?event_type=some")).await.error(400);
    orchestrator.get(&format!("/orchestrator/jobs/{id}/history?next_token=some")).await.error(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_03_there_is_exactly_one_way_to_get_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let methods = orchestrator.get("/auth").await.ok();
    assert_eq!(methods["NextToken"], "");
    let methods = methods["Methods"].as_object().unwrap().clone();
    assert_eq!(methods.len(), 1, "none is an error of the command, two make it ask");
    let (name, method) = methods.iter().next().unwrap();
    assert_eq!(method["type"], "challenge");
    assert_eq!(&orchestrator.get(&format!("/auth/{name}")).await.ok(), method);
    orchestrator.post("/auth/ClientKey", &json!({"MethodData": "bm8="})).await.error(400);
    orchestrator.get("/auth/other").await.error(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_04_keys_have_any_case_and_nulls_and_unknown_ones_are_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.put("/orchestrator/jobs", &go_body()).await.ok();
    let odd = json!({
        "JOB": {"type": "BATCH", "nAme": "odd", "COUNT": null, "Unknown": {"a": [1]}, "priority": null,
            "tasks": [{
                "NAME": "main", "engine": {"TYPE": "wasm", "params": {"entrymodule": "m", "EntryPoint": "_start"}},
                "inputsources": [{"source": {"type": "inline", "params": {"url": "data:,x"}}, "TARGET": "m"}],
                "Env": null, "ResultPaths": null, "Network": {"Type": "default", "Domains": null}, "GPU": 1,
            }],
            "State": {"StateType": "Undefined", "Message": null}},
        "force": null, "idempotencytoken": null, "Credential": {"Scheme": "Bearer"}, "more": 1,
    });
    let accepted = orchestrator.put("/orchestrator/jobs", &odd).await.ok();
    assert_eq!(accepted["Warnings"], json!(null), "nobody set the state: {accepted}");
    let job = orchestrator.get("/orchestrator/jobs/odd").await.ok();
    assert_eq!((&job["Job"]["Type"], &job["Job"]["Count"]), (&json!("batch"), &json!(1)));
    let rerun = json!({"jobversion": null, "REASON": "again", "Credential": null});
    orchestrator.put("/orchestrator/jobs/odd/rerun", &rerun).await;
    for wrong in
        [json!({"Job": odd["JOB"], "Force": "yes"}), json!({"Job": odd["JOB"], "IdempotencyToken": 1})]
    {
        orchestrator.put("/orchestrator/jobs", &wrong).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_05_empty_parameters_and_every_way_to_write_a_boolean_are_understood() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let id = orchestrator.submit(&job("batch")).await;
    for path in [
        "/orchestrator/jobs?reverse=False&next_token=&limit=&order_by=&labels=&namespace=".to_owned(),
        "/orchestrator/jobs?Reverse=T&LIMIT=1&limit=x&unknown=1&pretty".to_owned(),
        format!("/orchestrator/jobs/{id}?include=&limit=10&job_version="),
        format!("/orchestrator/jobs/{id}?include=history,%20executions,history,what"),
        format!("/orchestrator/jobs/{id}/executions?namespace=&limit=5&next_token=&reverse=False&order_by="),
        format!("/orchestrator/jobs/{id}/executions?order_by=unknown"),
        format!("/orchestrator/jobs/{id}/history?event_type=execution&execution_id=&node_id=&since="),
        "/orchestrator/nodes?labels=&limit=&order_by=&reverse=&filter-status=&filter_approval=".to_owned(),
    ] {
        orchestrator.get(&path).await.ok();
    }
    for path in [
        "/orchestrator/jobs?reverse=maybe",
        "/orchestrator/jobs?limit=-1",
        "/orchestrator/jobs?limit=4294967296",
        "/orchestrator/jobs?order_by=color",
        "/orchestrator/nodes?order_by=color",
        "/orchestrator/jobs?labels=a%20b",
        "/orchestrator/jobs?namespace=%ff",
        "/orchestrator/jobs/%ff",
    ] {
        orchestrator.get(path).await.error(400);
    }
    // On PUT a query means nothing.
    let put = orchestrator.put("/orchestrator/jobs?force=maybe&namespace=x", &python_body("q")).await.ok();
    let stored =
        orchestrator.get(&format!("/orchestrator/jobs/{}", put["JobID"].as_str().unwrap())).await.ok();
    assert_eq!(stored["Job"]["Namespace"], "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_06_a_success_is_200_with_a_body() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let id = orchestrator.put_job(&python_body("six")["Job"]).await;
    let answers = [
        orchestrator.get("/agent/alive").await,
        orchestrator.get("/agent/debug").await,
        orchestrator.get("/agent/config").await,
        orchestrator.get(&format!("/orchestrator/jobs/{id}/results")).await,
        orchestrator.put("/orchestrator/jobs/diff", &python_body("six")).await,
        orchestrator.delete(&format!("/orchestrator/jobs/{id}"), Some(&json!({}))).await,
        orchestrator.put("/orchestrator/jobs/six/rerun", &json!({"JobVersion": 0, "Reason": ""})).await,
    ];
    for answer in answers {
        let body = answer.ok();
        assert!(body.is_object());
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json", "the web page looks at it");
        assert_eq!(answer.headers[header::CONTENT_LENGTH], answer.text.len().to_string());
        assert!(
            answer.headers.contains_key("x-bacalhau-git-version")
                && answer.headers.contains_key("x-request-id")
        );
    }
    assert_eq!(orchestrator.get("/agent/alive").await.ok(), json!({"Status": "OK"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_07_the_websocket_opens_whatever_is_wrong_and_frames_have_their_keys() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let base = orchestrator.api.replace("http", "ws");
    for path in ["nothing/logs", "nothing/logs?follow=maybe", "nothing/logs?job_version=x", "%ff/logs"] {
        let opened = connect_async(format!("{base}/orchestrator/jobs/{path}")).await;
        if path.starts_with('%') {
            assert!(opened.is_err(), "a path that is no text names nothing");
            continue;
        }
        let (mut socket, _) = opened.unwrap();
        let Some(Ok(Message::Text(frame))) = socket.next().await else { panic!("{path}: not a frame") };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        assert!(frame["error"].is_string() && frame["value"]["Type"] == 0, "{path}: {frame}");
        let Some(Ok(Message::Close(Some(close)))) = socket.next().await else { panic!("{path}: not closed") };
        assert_eq!(u16::from(close.code), 1000);
    }
    let plain = orchestrator.get("/orchestrator/jobs/nothing/logs").await;
    plain.error(426);
    assert_eq!(plain.headers[header::UPGRADE], "websocket");

    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    node.assignment().await;
    let (mut socket, _) =
        connect_async(format!("{base}/orchestrator/jobs/{id}/logs?follow=true")).await.unwrap();
    let ToNode::ReadLog(read) = node.hear().await else { panic!("not a read") };
    let pieces = vec![
        LogPiece { stream: Stream::Out, at: None, text: "one\ntw".to_owned() },
        LogPiece { stream: Stream::Err, at: None, text: "oops\n".to_owned() },
    ];
    let chunk = LogChunk { pieces, next: 11, end: true };
    node.say(FromNode::Log(LogPage { request: read.request, result: Ok(chunk) })).await;
    let mut frames = Vec::new();
    while let Some(Ok(Message::Text(frame))) = socket.next().await {
        frames.push(serde_json::from_str::<Value>(&frame).unwrap());
    }
    let frame = |kind: u8, line: &str| json!({"value": {"Type": kind, "Line": line}});
    assert_eq!(frames, [frame(1, "one\n"), frame(1, "tw"), frame(2, "oops\n")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_08_without_a_name_the_log_is_that_of_the_newest_execution_worth_reading() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.put_job(&job_with("batch", json!({"Count": 2}))).await;
    let (first, second) = (node.assignment().await, node.assignment().await);
    node.report(&first.execution, completed("done\n")).await;
    let refused = skrei_job::outcome::Refusal {
        rule: skrei_job::outcome::Rule::Capacity,
        message: "no room".to_owned(),
        hint: None,
    };
    node.report(&second.execution, ExecutionState::Refused(refused)).await;
    drop(node);
    let base = orchestrator.api.replace("http", "ws");
    let (mut socket, _) = connect_async(format!("{base}/orchestrator/jobs/{id}/logs")).await.unwrap();
    let Some(Ok(Message::Text(frame))) = socket.next().await else { panic!("not a frame") };
    let frame: Value = serde_json::from_str(&frame).unwrap();
    assert_eq!(frame, json!({"value": {"Type": 1, "Line": "done\n"}}), "what came with the outcome");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_09_the_irregular_names_are_irregular() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let list = orchestrator.get("/orchestrator/nodes").await.ok();
    assert!(list.get("Items").is_none() && list["Nodes"].is_array() && list["NextToken"] == "");
    let node = &list["Nodes"][0];
    let compute = &node["Info"]["ComputeNodeInfo"];
    assert!(compute["QueueCapacity"].is_object() && compute["address"].is_string(), "{compute}");
    assert!(compute.get("Address").is_none() && compute.get("QueueUsedCapacity").is_none());
    assert!(orchestrator.get("/agent/config").await.ok()["config"].is_object());
    let auth = orchestrator.get("/agent/authconfig").await.ok();
    assert_eq!(auth, json!({"Version": "1.0.0", "Config": {}}));
    let version = orchestrator.get("/agent/version").await.ok();
    let keys: Vec<_> = version.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["BuildDate", "GOARCH", "GOOS", "GitCommit", "GitVersion", "Major", "Minor"]);
    let own = orchestrator.get("/agent/node").await.ok();
    assert!(own["NodeID"].is_string() && own["ComputeNodeInfo"]["MaxCapacity"] == json!({}), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_10_every_time_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let is_time = |value: &Value| {
        let text = value.as_str().unwrap_or_else(|| panic!("{value}"));
        assert!(
            text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok() || text == "0001-01-01T00:00:00Z",
            "{text}"
        );
    };
    is_time(&orchestrator.get("/agent/version").await.ok()["BuildDate"]);
    let history = orchestrator.get(&format!("/orchestrator/jobs/{id}/history")).await.ok();
    for entry in history["Items"].as_array().unwrap() {
        is_time(&entry["Time"]);
        is_time(&entry["Event"]["Timestamp"]);
    }
    let look = async || {
        let list = orchestrator.get("/orchestrator/nodes").await.ok();
        for node in list["Nodes"].as_array().unwrap() {
            for name in ["LastHeartbeat", "ConnectedSince", "DisconnectedSince"] {
                is_time(&node["ConnectionState"][name]);
            }
            is_time(&node["Info"]["BacalhauVersion"]["BuildDate"]);
            assert!(["Requester", "Compute"].contains(&node["Info"]["NodeType"].as_str().unwrap()));
        }
    };
    look().await;
    drop(node);
    look().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_11_names_come_before_ids_and_the_same_name_is_the_same_job() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let named = orchestrator.put_job(&job_with("batch", json!({"Name": "two words/ä"}))).await;
    let unnamed = orchestrator.put_job(&job_with("batch", json!({}))).await;
    // A job called by the id of another is found by that name.
    let thief = orchestrator.put_job(&job_with("batch", json!({"Name": unnamed}))).await;
    let elsewhere =
        orchestrator.put_job(&job_with("batch", json!({"Name": "far", "Namespace": "other"}))).await;
    let found = async |path: &str| {
        orchestrator.get(&format!("/orchestrator/jobs/{path}")).await.ok()["Job"]["ID"].clone()
    };
    assert_eq!(found("two%20words%2F%C3%A4").await, named);
    assert_eq!(found(&unnamed).await, thief);
    assert_eq!(found(&named[..12]).await, named);
    assert_eq!(found("far?namespace=other").await, elsewhere);
    assert_eq!(found(&format!("{elsewhere}?namespace=wrong")).await, elsewhere, "an id counts everywhere");
    orchestrator.get("/orchestrator/jobs/far").await.error(404);
    orchestrator.get(&format!("/orchestrator/jobs/{}", &named[2..10])).await.error(404);
    assert_eq!(orchestrator.get("/orchestrator/jobs/j-").await.status, 404);

    let changed = json!({"Job": job_with("batch", json!({"Name": "two words/ä", "Priority": 3}))});
    let updated = orchestrator.put("/orchestrator/jobs", &changed).await.ok();
    assert_eq!(updated["JobID"], named);
    let job = orchestrator.get(&format!("/orchestrator/jobs/{named}")).await.ok()["Job"].take();
    assert_eq!((&job["Version"], &job["Priority"]), (&json!(2), &json!(3)));
    orchestrator.put("/orchestrator/jobs", &changed).await.error(409);
    let first = orchestrator.get(&format!("/orchestrator/jobs/{named}?job_version=1")).await.ok();
    assert_eq!((&first["Job"]["Version"], &first["Job"]["Priority"]), (&json!(1), &json!(0)));
    orchestrator.get(&format!("/orchestrator/jobs/{named}?job_version=9")).await.error(404);

    let listed = async |query: &str| {
        orchestrator.get(&format!("/orchestrator/jobs?{query}")).await.ok()["Items"].as_array().unwrap().len()
    };
    assert_eq!((listed("").await, listed("namespace=*").await), (4, 4), "no namespace lists all");
    assert_eq!((listed("namespace=other").await, listed("namespace=default").await), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_14_units_are_read_as_written_and_zeros_are_left_out() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let resources = json!({"CPU": "250M", "Memory": "1 Gi", "Disk": "5Mb"});
    let id = orchestrator.put_job(&task_with("ops", json!({"Resources": resources}))).await;
    let path = format!("/orchestrator/jobs/{id}?include=executions");
    let job = orchestrator.get(&path).await.ok();
    assert_eq!(job["Job"]["Count"], 0, "a number, though it has no meaning for this type");
    assert_eq!(job["Job"]["Tasks"][0]["Resources"], json!({"CPU": "250m", "Memory": "1gi", "Disk": "5mb"}));
    let allocated = &job["Executions"]["Items"][0]["AllocatedResources"]["Tasks"]["main"];
    assert_eq!(allocated, &json!({"CPU": 0.25, "Memory": 1_073_741_824, "Disk": 5_000_000}));
    for wrong in ["1.5m", "x", "-1"] {
        let job = task_with("batch", json!({"Resources": {"CPU": wrong}}));
        orchestrator.put("/orchestrator/jobs", &json!({"Job": job})).await.error(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trap_15_a_job_without_results_has_an_empty_list_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let assignment = node.assignment().await;
    node.report(&assignment.execution, completed("")).await;
    let results = orchestrator.get(&format!("/orchestrator/jobs/{id}/results")).await.ok();
    assert_eq!(results, json!({"NextToken": "", "Items": []}));
    answer(orchestrator.request(Method::GET, "/orchestrator/jobs/nothing/results")).await.error(404);
}
