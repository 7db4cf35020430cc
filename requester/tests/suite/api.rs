//! The API as programs see it: the error envelope, what is accepted leniently, and what is refused.

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use skrei_job::Digest;

use super::harness::{Orchestrator, job};

async fn put(orchestrator: &Orchestrator, body: &str) -> Response {
    Client::new()
        .put(format!("{}/orchestrator/jobs", orchestrator.api))
        .header("Content-Type", "application/json; charset=utf-8")
        .body(body.to_owned())
        .send()
        .await
        .unwrap()
}

async fn get(orchestrator: &Orchestrator, path: &str) -> (StatusCode, Value) {
    let answer = Client::new().get(format!("{}{path}", orchestrator.api)).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bacalhau_s_command_sends_is_accepted_with_its_nulls() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let body = json!({
        "Namespace": "", "Credential": {"Scheme": "Bearer", "Value": "x", "Params": null}, "IdempotencyToken": "",
        "Job": {
            "ID": "", "Name": "", "Namespace": "default", "Type": "batch", "Priority": 0, "Count": 1,
            "Constraints": null, "Meta": null, "Labels": {},
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm", "Entrypoint": "_start", "ImportModules": null, "Parameters": []}},
                "Publisher": null,
                "InputSources": [{"Source": {"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}}, "Alias": "", "Target": "main.wasm"}],
                "Resources": {}, "Timeouts": {},
            }],
            "State": {"StateType": "Undefined"}, "Version": 0, "Revision": 0, "CreateTime": 0, "ModifyTime": 0,
        },
        "Force": false,
    });
    let answer = put(&orchestrator, &body.to_string()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["JobID"].as_str().map(str::len), Some(38));
    let (_, job) =
        get(&orchestrator, &format!("/orchestrator/jobs/{}", answer["JobID"].as_str().unwrap())).await;
    assert_eq!(job["Job"]["Name"], answer["JobID"], "an unnamed job is called by its id");
    assert_eq!(job["Job"]["Tasks"][0]["Resources"], json!({"CPU": "500m", "Memory": "512mb"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_gets_the_envelope_with_a_cause() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let cases = [
        ("{", 400, "not JSON"),
        ("{}", 400, "no `Job`"),
        (r#"{"Job": {"Type": "ops", "Tasks": []}}"#, 400, "Tasks"),
        (
            r#"{"Job": {"Type": "ops", "Count": 2, "Tasks": [{"Name": "a", "Engine": {"Type": "docker"}}]}}"#,
            400,
            "docker",
        ),
    ];
    for (body, status, words) in cases {
        let answer = put(&orchestrator, body).await;
        assert_eq!(answer.status().as_u16(), status, "{body}");
        let envelope: Value = answer.json().await.unwrap();
        assert_eq!(envelope["Status"], status);
        assert!(envelope["Message"].as_str().unwrap().contains(words), "{envelope}");
    }
    let huge = put(&orchestrator, &format!(r#"{{"Job": {{"Name": "{}"}}}}"#, "x".repeat(11 << 20))).await;
    assert_eq!(huge.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let deep = put(&orchestrator, &"[".repeat(100_000)).await;
    assert_eq!(deep.status(), StatusCode::BAD_REQUEST);
    let plain =
        Client::new().put(format!("{}/orchestrator/jobs", orchestrator.api)).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for (path, status) in [
        ("/orchestrator/jobs?reverse=maybe", 400),
        ("/orchestrator/jobs?labels=a%20b", 400),
        ("/orchestrator/jobs?next_token=zzz", 400),
        ("/orchestrator/jobs/nothing", 404),
        ("/orchestrator/nodes/nothing", 404),
        ("/orchestrator/jobs?reverse=False&next_token=&limit=5&order_by=created_at", 200),
    ] {
        let (found, body) = get(&orchestrator, path).await;
        assert_eq!(found.as_u16(), status, "{path}: {body}");
    }
    let (status, body) = get(&orchestrator, "/nothing/here").await;
    assert_eq!((status.as_u16(), body["Code"].as_str()), (404, Some("NotFound")));
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_taken_in_only_under_its_own_digest() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let artifact = orchestrator.client.ensure_artifact("content".into()).await.unwrap();
    assert_eq!(orchestrator.client.ensure_artifact("content".into()).await.unwrap(), artifact);
    let other = format!("{}/orchestrator/artifacts/{}", orchestrator.api, "0".repeat(64));
    let refused = Client::new().put(&other).body("content").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let held: Vec<_> = std::fs::read_dir(directory.path().join("artifacts")).unwrap().collect();
    assert_eq!(held.len(), 2, "it and the folder `incoming`; nothing half taken in is left: {held:?}");

    let mut job = job("ops");
    let source =
        json!({"Type": "artifact", "Params": {"Digest": format!("sha256:{}", "0".repeat(64)), "Size": 7}});
    job.tasks[0].input_sources[0].source = serde_json::from_value(source).unwrap();
    let refused = orchestrator.client.submit(&job, false).await.unwrap_err();
    assert!(refused.to_string().contains("does not hold"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_artifact_goes_on_where_its_upload_broke_off() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let content: Vec<u8> = (0..20_000_000_u32).map(|number| number as u8).collect();
    let url = format!("{}/orchestrator/artifacts/{}", orchestrator.api, Digest::of(&content).hex());
    let piece = async |from: usize, to: usize| {
        let range = format!("bytes {from}-{}/{}", to - 1, content.len());
        let put = Client::new().put(&url).header("Content-Range", range).body(content[from..to].to_vec());
        put.send().await.unwrap()
    };
    assert_eq!(piece(0, 5_000_000).await.status(), StatusCode::ACCEPTED);
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    let port = orchestrator.api.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned();
    let url = format!("http://127.0.0.1:{port}/api/v1/orchestrator/artifacts/{}", Digest::of(&content).hex());
    let head = Client::new().head(&url).send().await.unwrap();
    assert_eq!(
        (head.status(), &head.headers()["upload-offset"]),
        (StatusCode::NOT_FOUND, &"5000000".parse().unwrap())
    );
    let gap =
        Client::new().put(&url).header("Content-Range", format!("bytes 9-9/{}", content.len())).body("x");
    let gap = gap.send().await.unwrap();
    assert_eq!(
        (gap.status(), &gap.headers()["upload-offset"]),
        (StatusCode::ACCEPTED, &"5000000".parse().unwrap())
    );
    let artifact = orchestrator.client.ensure_artifact(content.clone().into()).await.unwrap();
    assert_eq!((artifact.digest, artifact.size), (Digest::of(&content), content.len() as u64));
    assert_eq!(Client::new().head(&url).send().await.unwrap().status(), StatusCode::OK);

    // Pieces that do not add up to what was announced are gone.
    let other = format!("{}/orchestrator/artifacts/{}", orchestrator.api, "0".repeat(64));
    let wrong =
        Client::new().put(&other).header("Content-Range", "bytes 0-2/3").body("abc").send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let odd =
        Client::new().put(&other).header("Content-Range", "3 of them").body("abc").send().await.unwrap();
    assert_eq!(odd.status(), StatusCode::BAD_REQUEST);
    assert_eq!(std::fs::read_dir(directory.path().join("artifacts/incoming")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_artifact_that_several_send_at_once_arrives_for_all_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let content: bytes::Bytes = (0..10_000_000_u32).map(|number| number as u8).collect::<Vec<_>>().into();
    let send = || orchestrator.client.ensure_artifact(content.clone());
    let (one, other) = tokio::join!(send(), send());
    assert_eq!((one.unwrap().size, other.unwrap().size), (10_000_000, 10_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_too_old_is_told_so_and_every_answer_names_its_server() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let call = async |version: &str| {
        let url = format!("{}/agent/alive", orchestrator.api);
        Client::new().get(url).header("X-Bacalhau-Git-Version", version).send().await.unwrap()
    };
    for version in ["v1.4.0", "1.9.3", "v2.0.0-rc1", "v0.0.0-xxxxxxx", "v0.0.0"] {
        let answer = call(version).await;
        assert_eq!(answer.status(), StatusCode::OK, "{version}");
        assert!(answer.headers().contains_key("x-bacalhau-git-version"));
    }
    let old = call("v1.3.2").await;
    assert_eq!(old.status(), StatusCode::FORBIDDEN);
    let old: Value = old.json().await.unwrap();
    assert_eq!((&old["MinVersion"], &old["ClientVersion"]), (&json!("1.4.0"), &json!("1.3.2")));
    assert_eq!(call("newest").await.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_is_repeated_with_its_token_gets_the_first_answer_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let body = |token: &str, name: &str| {
        let mut manifest = serde_json::to_value(job("ops")).unwrap();
        manifest["Name"] = name.into();
        json!({"Job": manifest, "IdempotencyToken": token}).to_string()
    };
    let submit = async |orchestrator: &Orchestrator, token: &str, name: &str| {
        let answer = put(orchestrator, &body(token, name)).await;
        assert_eq!(answer.status(), StatusCode::OK);
        // To the letter.
        answer.text().await.unwrap()
    };
    let orchestrator = Orchestrator::start(&directory).await;
    let (one, same) = tokio::join!(submit(&orchestrator, "t-1", ""), submit(&orchestrator, "t-1", ""));
    assert_eq!(one, same, "also while the first is on its way");
    let named = submit(&orchestrator, "t-2", "nightly").await;
    assert_ne!(named, one);
    assert_eq!(submit(&orchestrator, "t-2", "nightly").await, named, "no complaint that nothing changed");
    assert_ne!(submit(&orchestrator, "", "").await, submit(&orchestrator, "", "").await);
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    assert_eq!(submit(&orchestrator, "t-1", "").await, one);
    assert_eq!(submit(&orchestrator, "t-2", "nightly").await, named);
    assert_eq!(orchestrator.client.versions("nightly").await.unwrap().len(), 1);
    let long = put(&orchestrator, &body(&"x".repeat(257), "")).await;
    assert_eq!(long.status(), StatusCode::BAD_REQUEST);
    orchestrator.stop().await;
}
