//! Conventions of HTTP (reference 2): headers, errors, origins, bodies that are wrong in every way.

use reqwest::{Method, header};
use serde_json::json;
use skrei_job::NodeId;
use skrei_protocol::client::LogQuery;
use skrei_requester::{Config, FollowLimits};

use super::{
    harness::{Orchestrator, PATIENCE, job},
    http::{Answer, answer, job_with, python_body},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_repeated_or_made_and_stands_in_the_envelope() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let given =
        orchestrator.request(Method::GET, "/orchestrator/jobs/nothing").header("X-Request-Id", "call-7");
    let given = answer(given).await;
    assert_eq!(given.headers["x-request-id"], "call-7");
    assert_eq!(given.error(404)["RequestID"], "call-7");
    let (one, other) = (orchestrator.get("/agent/alive").await, orchestrator.get("/agent/alive").await);
    assert_eq!(one.headers["x-request-id"].len(), 32);
    assert_ne!(one.headers["x-request-id"], other.headers["x-request-id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_indented_for_people_who_ask() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let plain = orchestrator.get("/agent/node").await;
    for path in ["/agent/node?pretty", "/agent/node?x=1&pretty=false"] {
        let pretty = orchestrator.get(path).await;
        assert!(pretty.text.starts_with("{\n  \"NodeID\": "), "{}", pretty.text);
        assert_eq!(pretty.json(), plain.json());
    }
    assert!(orchestrator.get("/nothing?pretty").await.text.starts_with("{\n"), "errors, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_not_done_so_is_said_in_the_envelope() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.get("/nothing").await.error(404);
    orchestrator.get("/orchestrator/jobs/").await.error(404);
    orchestrator.delete("/orchestrator/jobs", None).await.error(405);
    let wrong = answer(orchestrator.request(Method::PATCH, "/orchestrator/jobs/x")).await;
    wrong.error(405);
    assert!(wrong.headers.contains_key(header::ALLOW), "{:?}", wrong.headers);
    let root = orchestrator.api.replace("/api/v1", "");
    let stays = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in ["/", "/version", "/livez"] {
        assert_eq!(answer(stays.get(format!("{root}{path}"))).await.status, 301, "{path}");
    }
    let followed: Answer = answer(reqwest::Client::new().get(format!("{root}/livez"))).await;
    assert_eq!(followed.ok(), json!({"Status": "OK"}));
    for path in ["/", "/version"] {
        let followed = answer(reqwest::Client::new().get(format!("{root}{path}"))).await.ok();
        assert!(followed["GitVersion"].is_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_web_page_may_call_unless_its_origin_is_allowed() {
    let directory = tempfile::tempdir().unwrap();
    let closed = Orchestrator::start(&directory).await;
    let ask = async |orchestrator: &Orchestrator, method: Method, origin: &str| {
        let request = orchestrator.request(method, "/agent/alive").header(header::ORIGIN, origin);
        answer(request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "PUT")).await
    };
    for method in [Method::GET, Method::OPTIONS] {
        let answer = ask(&closed, method, "https://evil.example").await;
        assert!(!answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(answer.status, 403, "not even looked at: it could be more than a look");
    }
    let other = tempfile::tempdir().unwrap();
    let open = Orchestrator::start_allowing(&other, &["https://ops.example"]).await;
    for method in [Method::GET, Method::OPTIONS] {
        let allowed = ask(&open, method.clone(), "https://ops.example").await;
        assert!((200..300).contains(&allowed.status), "{}", allowed.status);
        assert_eq!(allowed.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://ops.example");
        let other = ask(&open, method, "https://evil.example").await;
        assert_eq!(other.status, 403);
        assert!(!other.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_wrong_in_any_way_is_refused_and_nothing_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let good = python_body("x").to_string();
    let send = async |path: &str, kind: &str, body: Vec<u8>| {
        answer(orchestrator.request(Method::PUT, path).header(header::CONTENT_TYPE, kind).body(body)).await
    };
    let json_type = "application/json";
    let deep = format!(r#"{{"Job": {}"x"{}}}"#, "[".repeat(200), "]".repeat(200));
    let mut not_utf8 = good.clone().into_bytes();
    let at = not_utf8.iter().position(|byte| *byte == b'x').unwrap();
    not_utf8[at] = 0xff;
    for path in [
        "/orchestrator/jobs",
        "/orchestrator/jobs/diff",
        "/orchestrator/jobs/plan",
        "/orchestrator/jobs/x/rerun",
    ] {
        send(path, "text/plain", good.clone().into_bytes()).await.error(415);
        send(path, "application/jsonx", good.clone().into_bytes()).await.error(415);
        send(path, json_type, b"{".to_vec()).await.error(400);
        send(path, json_type, b"[]".to_vec()).await.error(400);
        send(path, json_type, b"null".to_vec()).await.error(400);
        send(path, json_type, deep.clone().into_bytes()).await.error(400);
        send(path, json_type, not_utf8.clone()).await.error(400);
        send(path, json_type, vec![b' '; (10 << 20) + 1]).await.error(413);
    }
    send("/orchestrator/jobs", json_type, Vec::new()).await.error(400);
    let stop = orchestrator
        .request(Method::DELETE, "/orchestrator/jobs/x")
        .header(header::CONTENT_TYPE, "text/plain");
    answer(stop.body("{}")).await.error(415);
    let list = orchestrator.get("/orchestrator/jobs").await.ok();
    assert_eq!(list["Items"], json!([]));
    send("/orchestrator/jobs", "Application/JSON; charset=utf-8", good.into_bytes()).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_has_its_bounds() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    orchestrator.submit(&job("batch")).await;
    for path in ["jobs", "nodes"] {
        let many = vec!["!a"; 65].join(",");
        orchestrator.get(&format!("/orchestrator/{path}?labels={many}")).await.error(400);
        let long = "a".repeat(9000);
        orchestrator.get(&format!("/orchestrator/{path}?labels={long}")).await.error(400);
        orchestrator.get(&format!("/orchestrator/{path}?labels={}", &many[3..])).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_job_runs_again_stands_in_its_history() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let id = orchestrator.put_job(&job_with("batch", json!({"Name": "again", "Count": 0}))).await;
    let rerun = json!({"JobVersion": 1, "Reason": "a disk was full"});
    let again = orchestrator.put("/orchestrator/jobs/again/rerun", &rerun).await;
    assert_eq!(again.ok()["JobVersion"], 2);
    let history = orchestrator.get(&format!("/orchestrator/jobs/{id}/history")).await.ok();
    let entry = &history["Items"][0];
    assert_eq!(
        (&entry["Event"]["Topic"], &entry["Event"]["Details"]["Reason"]),
        (&json!("Submission"), &json!("a disk was full"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_follow_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(NodeId::new("orchestrator"), directory.path());
    let follow = FollowLimits { events: 2, logs: 1 };
    let orchestrator = Orchestrator::start_as(Config { follow, ..config }).await;
    let id = orchestrator.submit(&job("batch")).await;
    let open = async || orchestrator.request(Method::GET, "/orchestrator/events").send().await.unwrap();
    let (one, _other) = (open().await, open().await);
    let refused = orchestrator.get("/orchestrator/events").await.error(429);
    assert_eq!(refused["Code"], "ResourceExhausted");
    drop(one);
    let start = std::time::Instant::now();
    // Its place is free when the server has seen that it is gone.
    while open().await.status() != 200 {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }

    let mut node = orchestrator.node("a").await;
    let mut waits = job("batch");
    waits.name = "followed".to_owned();
    orchestrator.submit(&waits).await;
    node.assignment().await;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let _reading = orchestrator.client.logs("followed", &query).await.unwrap();
    assert!(matches!(node.hear().await, skrei_protocol::link::ToNode::ReadLog(_)));
    let mut second = orchestrator.client.logs(&id, &query).await.unwrap();
    let refused = second.next().await.unwrap_err().to_string();
    assert!(refused.contains("as many logs"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_from_before_states_left_the_history_still_find_them_there() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("batch")).await;
    for (version, has) in [("v1.4.0", true), ("v1.5.0", false), ("v0.0.0-xxxxxxx", false), ("", false)] {
        for (path, pointer) in
            [(format!("{id}/history"), "/Items"), (format!("{id}?include=history"), "/History/Items")]
        {
            let request = orchestrator.request(Method::GET, &format!("/orchestrator/jobs/{path}"));
            let page = answer(request.header("X-Bacalhau-Git-Version", version)).await.ok();
            let entries = page.pointer(pointer).unwrap().as_array().unwrap();
            assert!(entries.len() > 1);
            for entry in entries {
                let state = if entry["Type"] == "JobLevel" { "JobState" } else { "ExecutionState" };
                assert_eq!(entry.get(state).is_some(), has, "{version}: {entry}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_who_holds_it_and_that_is_no_change_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let id = orchestrator.put_job(&job_with("batch", json!({"Name": "held", "Meta": {"a": "b"}}))).await;
    let job = orchestrator.get(&format!("/orchestrator/jobs/{id}")).await.ok();
    let meta = json!({"a": "b", "bacalhau.org/orchestrator.id": "orchestrator", "bacalhau.org/requester.id": "orchestrator"});
    assert_eq!(job["Job"]["Meta"], meta);
    // What was read is submitted again.
    let again = orchestrator.put("/orchestrator/jobs", &json!({"Job": job["Job"]})).await;
    again.error(409);
}
