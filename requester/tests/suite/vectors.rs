//! The vectors of conformance (reference 10), each a test by its number. What takes a guest (14 to 16) is in
//! tests/system/bacalhau.rs.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use skrei_job::life::ExecutionState;
use tokio_tungstenite::{connect_async, tungstenite::Message};

use super::{
    harness::{Orchestrator, completed, job},
    http::{answer, go_body, job_with, python_body, task_with},
};

#[tokio::test(flavor = "multi_thread")]
async fn vector_01_the_bodies_of_both_clients_are_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    for body in [go_body(), python_body("x")] {
        for accepted in [
            orchestrator.put("/orchestrator/jobs", &body).await,
            orchestrator.post("/orchestrator/jobs", &python_body("by-post")).await,
        ] {
            if accepted.status == 409 {
                continue;
            }
            let accepted = accepted.ok();
            let id = accepted["JobID"].as_str().unwrap();
            let (prefix, uuid) = id.split_at(2);
            assert!(prefix == "j-" && uuid.len() == 36, "{id}");
            assert!(uuid.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)), "{id}");
            assert_eq!(accepted["EvaluationID"].as_str().map(str::len), Some(36), "a bare UUID: {accepted}");
            assert_eq!(accepted["Warnings"], json!(null), "there is nothing to warn of: {accepted}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_02_the_same_job_again_is_refused_unless_forced() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut body = python_body("twice");
    let first = orchestrator.put("/orchestrator/jobs", &body).await.ok();
    let refused = orchestrator.put("/orchestrator/jobs", &body).await.error(409);
    assert!(refused["Hint"].as_str().unwrap().contains("--force"), "{refused}");
    body["Force"] = true.into();
    let forced = orchestrator.put("/orchestrator/jobs", &body).await.ok();
    assert_eq!(forced["JobID"], first["JobID"]);
    assert_ne!(forced["EvaluationID"], first["EvaluationID"], "another version is decided about anew");
    let job = orchestrator.get("/orchestrator/jobs/twice").await.ok();
    assert_eq!(job["Job"]["Version"], 2);
    assert!(
        ["Pending", "Queued", "Failed"].contains(&job["Job"]["State"]["StateType"].as_str().unwrap()),
        "{job}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_03_what_the_python_client_asks_a_list_for_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.submit(&job("batch")).await;
    let path = "/orchestrator/jobs?reverse=False&next_token=&limit=5&order_by=created_at";
    let list = orchestrator.get(path).await.ok();
    assert_eq!((list["Items"].as_array().map(Vec::len), &list["NextToken"]), (Some(1), &json!("")));
    orchestrator.get("/orchestrator/jobs?reverse=maybe").await.error(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_04_jobs_without_a_label_match_that_it_is_not_something() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let plain = orchestrator.put_job(&job_with("batch", json!({}))).await;
    let canary = json!({"Labels": {"bacalhau_canary": "true"}});
    orchestrator.put_job(&job_with("batch", canary)).await;
    let list = orchestrator.get("/orchestrator/jobs?labels=bacalhau_canary%21%3Dtrue").await.ok();
    let ids: Vec<_> = list["Items"].as_array().unwrap().iter().map(|job| job["ID"].clone()).collect();
    assert_eq!(ids, [json!(plain)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_05_a_history_is_followed_by_its_token() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let assignment = node.assignment().await;
    let history = async |token: &str| {
        let path = format!("/orchestrator/jobs/{id}/history?event_type=all&limit=10&next_token={token}");
        orchestrator.get(&path).await.ok()
    };
    let first = history("").await;
    let token = first["NextToken"].as_str().unwrap().to_owned();
    let empty = history(&token).await;
    assert_eq!((&empty["Items"], &empty["NextToken"]), (&json!([]), &json!(token)));
    node.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    let rest = history(&token).await;
    assert_eq!(rest["NextToken"], "");
    let topics: Vec<_> = [&first, &rest]
        .iter()
        .flat_map(|page| page["Items"].as_array().unwrap())
        .map(|entry| {
            format!(
                "{}: {}",
                entry["Event"]["Topic"].as_str().unwrap(),
                entry["Event"]["Message"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(topics.first().map(String::as_str), Some("Submission: Job submitted"));
    assert_eq!(topics.last().map(String::as_str), Some("State Update: Completed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_06_the_log_of_an_unknown_job_is_an_error_frame_and_a_normal_close() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let url = orchestrator.api.replace("http", "ws") + "/orchestrator/jobs/j-nothing/logs?follow=true";
    let (mut socket, response) = connect_async(url).await.unwrap();
    assert_eq!(response.status(), 101);
    let Some(Ok(Message::Text(frame))) = socket.next().await else { panic!("not a text frame") };
    let frame: Value = serde_json::from_str(&frame).unwrap();
    assert!(frame["error"].as_str().unwrap().contains("j-nothing"), "{frame}");
    assert_eq!(frame["value"], json!({"Type": 0, "Line": ""}));
    let Some(Ok(Message::Close(Some(close)))) = socket.next().await else { panic!("not a close frame") };
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1000, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_07_there_is_one_challenge_and_a_signature_is_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let methods = orchestrator.get("/auth").await.ok();
    let all = methods["Methods"].as_object().unwrap();
    assert_eq!(all.iter().map(|(_, method)| &method["type"]).collect::<Vec<_>>(), ["challenge"]);
    let phrase = methods["Methods"]["ClientKey"]["params"]["InputPhrase"].as_str().unwrap();
    let phrase = BASE64.decode(phrase).unwrap();
    assert!(!phrase.is_empty());

    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let sign = |message: &[u8]| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        let public = BASE64.encode(key.public_key().as_ref());
        let answer = json!({"PhraseSignature": BASE64.encode(signature), "PublicKey": public});
        json!({"Namespace": "", "Credential": null, "Name": "ClientKey", "MethodData": BASE64.encode(answer.to_string())})
    };
    let accepted = orchestrator.post("/auth/ClientKey", &sign(&phrase)).await.ok();
    assert_eq!(accepted["Authentication"]["success"], true);
    assert!(!accepted["Authentication"]["token"].as_str().unwrap().is_empty());
    let wrong = orchestrator.post("/auth/ClientKey", &sign(b"another phrase")).await;
    assert_eq!(wrong.status, 401);
    let wrong = wrong.json();
    assert_eq!(wrong["Authentication"]["success"], false);
    assert!(wrong["Authentication"].get("token").is_none() && wrong["Authentication"]["reason"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_08_a_stale_token_changes_nothing_on_an_open_server() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    for path in ["/agent/version", "/orchestrator/jobs", "/orchestrator/nodes", "/orchestrator/jobs/nothing"]
    {
        let without = orchestrator.get(path).await;
        let with = answer(orchestrator.request(Method::GET, path).bearer_auth("stale")).await;
        assert_eq!(with.status, without.status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_09_the_version_of_a_client_is_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    for (version, status) in [
        ("v1.3.2", 403),
        ("v0.0.0-xxxxxxx", 200),
        ("v0.0.0", 200),
        ("", 200),
        ("banana", 400),
        ("1.4.0-rc1", 403),
    ] {
        let request =
            orchestrator.request(Method::GET, "/agent/alive").header("X-Bacalhau-Git-Version", version);
        let answer = answer(request).await;
        assert_eq!(answer.status, status, "{version}: {}", answer.text);
        if status != 200 {
            let body = answer.error(status);
            assert_eq!(body["Error"], body["Message"], "what old clients look for");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_10_execution_states_are_numbers_and_job_states_words() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    let assignment = node.assignment().await;
    node.report(&assignment.execution, ExecutionState::Running).await;
    let path = format!("/orchestrator/jobs/{id}?include=executions%2Chistory");
    let running = orchestrator.get(&path).await.ok();
    assert_eq!(running["Executions"]["Items"][0]["ComputeState"]["StateType"], 5, "{running}");
    assert_eq!(running["Executions"]["Items"][0]["DesiredState"]["StateType"], 1);
    assert_eq!(running["Job"]["State"]["StateType"], "Running");
    node.report(&assignment.execution, completed("out\n")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    let ended = orchestrator.get(&path).await.ok();
    let execution = &ended["Executions"]["Items"][0];
    assert_eq!(execution["ComputeState"]["StateType"], 9);
    assert_eq!(execution["DesiredState"]["StateType"], 2);
    let output = json!({"Stdout": "out\n", "StdoutTruncated": false, "stderr": "", "StderrTruncated": false, "ExitCode": 0, "ErrorMsg": ""});
    assert_eq!(execution["RunOutput"], output);
    assert_eq!(execution["PublishedResult"], json!({"Type": ""}));
    assert!(execution["CreateTime"].is_i64() && ended["Job"]["CreateTime"].is_i64());
    assert_eq!(ended["History"]["Items"][0]["SeqNum"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_11_nodes_have_their_own_key_and_one_truth_about_their_connection() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let list = orchestrator.get("/orchestrator/nodes").await.ok();
    let nodes = list["Nodes"].as_array().expect("`Nodes`, not `Items`");
    assert!(!nodes.is_empty());
    for node in nodes {
        assert_eq!(node["Connection"], node["ConnectionState"]["Status"]);
        assert!(["Requester", "Compute"].contains(&node["Info"]["NodeType"].as_str().unwrap()), "{node}");
        assert_eq!(node["Membership"], "APPROVED");
    }
    let one = orchestrator.get("/orchestrator/nodes/a").await.ok();
    assert_eq!(one["Node"]["Info"]["NodeID"], "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_12_a_reason_to_stop_comes_in_the_body_or_the_query_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let body = json!({"Namespace": "", "Credential": null, "reason": "from the body"});
    for (query, body, message) in [
        ("", Some(&body), "from the body"),
        ("?reason=User%20requested%20stop", None, "User requested stop"),
        ("?reason=in+the+query", Some(&json!({})), "in the query"),
        ("", None, "stopped by request"),
    ] {
        let id = orchestrator.submit(&job("batch")).await;
        let assignment = node.assignment().await;
        node.report(&assignment.execution, ExecutionState::Running).await;
        let stopped = orchestrator.delete(&format!("/orchestrator/jobs/{id}{query}"), body).await.ok();
        assert_eq!(stopped["EvaluationID"].as_str().map(str::len), Some(36));
        let stopped = orchestrator.get(&format!("/orchestrator/jobs/{id}")).await.ok();
        assert_eq!(stopped["Job"]["State"], json!({"StateType": "Stopped", "Message": message}));
        let again = orchestrator.delete(&format!("/orchestrator/jobs/{id}"), None).await.ok();
        assert_eq!(again["EvaluationID"], "");
        assert!(matches!(node.hear().await, skrei_protocol::link::ToNode::Cancel { .. }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn vector_13_rules_of_submission_refuse_and_counts_are_what_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    for wrong in [
        task_with("batch", json!({"ResultPaths": [{"Name": "outputs", "Path": "/outputs"}]})),
        task_with("batch", json!({"Env": {"foo": "bar"}})),
        job_with("ops", json!({"Count": 2})),
    ] {
        let refused = orchestrator.put("/orchestrator/jobs", &json!({"Job": wrong})).await.error(400);
        assert_eq!(refused["Code"], "ValidationError", "{refused}");
    }
    for (fields, count) in [(json!({}), 1), (json!({"Count": null}), 1), (json!({"Count": 0}), 0)] {
        let id = orchestrator.put_job(&job_with("batch", fields)).await;
        let job = orchestrator.get(&format!("/orchestrator/jobs/{id}")).await.ok();
        assert_eq!(job["Job"]["Count"], count);
    }
}
