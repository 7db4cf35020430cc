//! Who gets in at the API's door, and what is kept of it.

use std::{path::Path, sync::Arc, time::Duration};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use skrei_access::{Access, ApiKey, Capability, KeyDigest, StoredUser, User, UserFile};
use skrei_job::NodeId;
use skrei_protocol::client::LogQuery;
use skrei_requester::{Callers, Config};

use super::harness::{Orchestrator, PATIENCE, job};

const ADMIN: &str = "administrator's key";
const READER: &str = "reader's key of 20 bytes";
const RUNNER: &str = "runner's key of 20 bytes";

fn callers() -> Callers {
    let user = |name: &str, key: &str, words: &[&str]| {
        let granted = words.iter().map(|word| word.parse::<Capability>().unwrap()).collect();
        User::with_key(name, KeyDigest::of(key), granted)
    };
    let users = vec![
        user("admin", ADMIN, &["*"]),
        user("reader", READER, &["read:*"]),
        user("runner", RUNNER, &["read:job", "write:job"]),
    ];
    Callers { access: Arc::new(Access::required(users, None, None, 100_000)), ..Callers::default() }
}

async fn call(orchestrator: &Orchestrator, method: Method, path: &str, key: Option<&str>) -> Response {
    let mut request = Client::new().request(method, format!("{}{path}", orchestrator.api));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_a_reader_changes_nothing_and_a_runner_minds_its_business() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let status = async |method: Method, path: &str, key: Option<&str>| {
        call(&orchestrator, method, path, key).await.status().as_u16()
    };
    // Method, path, and what a stranger, a wrong key, the reader, the runner and the administrator get.
    let cases = [
        (Method::GET, "/agent/alive", [200, 200, 200, 200, 200]),
        (Method::GET, "/agent/authconfig", [200, 200, 200, 200, 200]),
        (Method::GET, "/auth", [200, 200, 200, 200, 200]),
        (Method::GET, "/auth/ClientKey", [404, 404, 404, 404, 404]),
        (Method::GET, "/auth/whoami", [401, 401, 200, 200, 200]),
        (Method::GET, "/agent/node", [401, 401, 200, 403, 200]),
        (Method::GET, "/agent/config", [401, 401, 200, 403, 200]),
        (Method::GET, "/orchestrator/jobs", [401, 401, 200, 200, 200]),
        (Method::GET, "/orchestrator/jobs/none", [401, 401, 404, 404, 404]),
        (Method::GET, "/orchestrator/nodes", [401, 401, 200, 403, 200]),
        (Method::GET, "/audit", [401, 401, 403, 403, 200]),
        (Method::GET, "/nothing/here", [401, 401, 404, 404, 404]),
        (Method::PUT, "/orchestrator/jobs", [401, 401, 403, 400, 400]),
        (Method::DELETE, "/orchestrator/jobs/none", [401, 401, 403, 404, 404]),
        (Method::PUT, "/orchestrator/artifacts/00", [401, 401, 403, 400, 400]),
    ];
    for (method, path, expected) in cases {
        let keys = [None, Some("a key that nobody has"), Some(READER), Some(RUNNER), Some(ADMIN)];
        for (key, expected) in keys.into_iter().zip(expected) {
            assert_eq!(status(method.clone(), path, key).await, expected, "{method} {path} {key:?}");
        }
    }
    // A websocket is refused before it is one; so is the stream of events.
    for path in ["/orchestrator/jobs/none/logs", "/orchestrator/events"] {
        assert_eq!(status(Method::GET, path, None).await, 401, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_in_the_envelope_and_says_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let missing = call(&orchestrator, Method::GET, "/orchestrator/jobs", None).await;
    assert_eq!(missing.headers()["www-authenticate"], "Bearer realm=\"skrei\"");
    let body: Value = missing.json().await.unwrap();
    assert_eq!((&body["Code"], &body["Component"]), (&"Unauthorized".into(), &"Authorizer".into()));
    assert!(body["Hint"].as_str().unwrap().contains("SKREI_API_KEY"), "{body}");
    assert!(body["Details"]["reason"].is_string(), "{body}");
    let body: Value =
        call(&orchestrator, Method::PUT, "/orchestrator/jobs", Some(READER)).await.json().await.unwrap();
    assert_eq!(body["Code"], "Forbidden");
    let message = body["Message"].as_str().unwrap();
    assert!(message.contains("`reader`") && message.contains("`write:job`"), "{body}");
    assert!(body["Hint"].as_str().unwrap().contains("read:*"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_what_is_kept_over_a_restart_and_bodies_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let runner = orchestrator.client.clone().showing(&format!("Bearer {RUNNER}")).unwrap();
    let id = runner.submit(&job("ops"), false).await.unwrap().job_id;
    runner.jobs("", 10, "").await.unwrap();
    call(&orchestrator, Method::PUT, "/orchestrator/jobs", Some(READER)).await;
    call(&orchestrator, Method::DELETE, &format!("/orchestrator/jobs/{id}?reason=secret"), None).await;
    // Without any node it has ended already.
    runner.stop(&id, Some("very secret".to_owned())).await.unwrap_err();
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let admin = orchestrator.client.clone().showing(&format!("Bearer {ADMIN}")).unwrap();
    let entries = admin.audit("", 0, 2, "").await.unwrap();
    assert_eq!(entries.items.len(), 2);
    let rest = admin.audit("", 0, 2, &entries.next_token).await.unwrap();
    assert_eq!(rest.next_token, "");
    let told: Vec<_> = [rest.items[1].clone(), rest.items[0].clone()]
        .into_iter()
        .chain([entries.items[1].clone(), entries.items[0].clone()])
        .map(|entry| (entry.user, entry.method, entry.action, entry.status))
        .collect();
    let entry = |user: &str, method: &str, action: &str, status| {
        (user.to_owned(), method.to_owned(), action.to_owned(), status)
    };
    let stop = "DELETE /api/v1/orchestrator/jobs/{id}";
    assert_eq!(
        told,
        [
            entry("runner", "key", "PUT /api/v1/orchestrator/jobs", 200),
            entry("reader", "key", "PUT /api/v1/orchestrator/jobs", 403),
            entry("", "", stop, 401),
            entry("runner", "key", stop, 409),
        ]
    );
    assert_eq!(rest.items[1].subject, id, "the job that was submitted");
    assert_eq!(rest.items[1].from, "127.0.0.1");
    let everything = format!("{entries:?}{rest:?}");
    assert!(!everything.contains("secret"), "{everything}");
    assert_eq!(admin.audit("Runner", 0, 10, "").await.unwrap().items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_push_out_the_records_of_those_who_did_something() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let runner = orchestrator.client.clone().showing(&format!("Bearer {RUNNER}")).unwrap();
    runner.submit(&job("ops"), false).await.unwrap();
    for guess in 0..60 {
        let path = format!("/orchestrator/jobs/{guess}");
        let key = (guess % 2 == 0).then_some("a key that nobody has");
        assert_eq!(call(&orchestrator, Method::DELETE, &path, key).await.status(), StatusCode::UNAUTHORIZED);
    }
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let admin = orchestrator.client.clone().showing(&format!("Bearer {ADMIN}")).unwrap();
    let entries = admin.audit("", 0, 100, "").await.unwrap().items;
    let strangers: Vec<_> = entries.iter().filter(|entry| entry.user.is_empty()).collect();
    assert_eq!(strangers.len(), 6, "five each, and one for the rest: {strangers:#?}");
    let rest = strangers.iter().find(|entry| entry.action == "several").unwrap();
    assert!(rest.subject.contains("55 more calls") && rest.from == "127.0.0.1", "{rest:?}");
    assert!(strangers.iter().all(|entry| entry.status == 401), "{strangers:#?}");
    assert!(entries.iter().any(|entry| entry.user == "runner" && entry.status == 200), "{entries:#?}");
}

/// An orchestrator that knows those of a file, beside the others.
async fn with_file(directory: &Path, users: &Path) -> Orchestrator {
    let admin = User::with_key("admin", KeyDigest::of(ADMIN), ["*".parse().unwrap()].into_iter().collect());
    let file = UserFile::new(users.to_owned()).watched().unwrap();
    let access = Access::required(vec![admin], Some(file), None, 100_000);
    let callers = Callers { access: Arc::new(access), ..Callers::default() };
    Orchestrator::start_asking(directory, callers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_recorded_with_the_status_that_it_was_answered_with() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("auth/users.json");
    std::fs::create_dir(users.parent().unwrap()).unwrap();
    std::fs::write(&users, "{ not users").unwrap();
    let orchestrator = with_file(&directory.path().join("data"), &users).await;
    let answer = call(&orchestrator, Method::DELETE, "/orchestrator/jobs/one", Some(ADMIN)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    std::fs::remove_file(&users).unwrap();
    let admin = orchestrator.client.clone().showing(&format!("Bearer {ADMIN}")).unwrap();
    // Nobody waits for the record, but for what the call would have changed.
    let recorded = async {
        loop {
            let entries = admin.audit("", 0, 10, "").await.unwrap().items;
            if let Some(entry) = entries.first().filter(|entry| entry.status > 0) {
                return (entries.len(), entry.status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, recorded).await.unwrap(), (1, 503));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_logs_end_when_the_key_they_are_read_with_is_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let users = directory.path().join("auth/users.json");
    let orchestrator = with_file(&directory.path().join("data"), &users).await;
    let file = UserFile::new(users);
    let mut clients = Vec::new();
    for name in ["gone", "stays"] {
        let key = ApiKey::generate().unwrap();
        file.add(StoredUser {
            name: name.to_owned(),
            password: None,
            key: Some(key.digest()),
            capabilities: ["*".parse().unwrap()].into_iter().collect(),
            created: 0,
            expires: None,
        })
        .unwrap();
        let header = format!("Bearer {}", key.secret().expose());
        clients.push(orchestrator.client.clone().showing(&header).unwrap());
    }
    let (gone, stays) = (&clients[0], &clients[1]);
    let (identity, admin) = (
        orchestrator.identity("a").await,
        orchestrator.client.clone().showing(&format!("Bearer {ADMIN}")).unwrap(),
    );
    let mut node = orchestrator.dial(super::harness::known(&identity)).await;
    node.say(skrei_protocol::link::FromNode::Hello(super::harness::hello("a"))).await;
    node.hear().await;
    let id = admin.submit(&job("service"), false).await.unwrap().job_id;
    node.assignment().await;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let (mut log, mut others_log) =
        (gone.logs(&id, &query).await.unwrap(), stays.logs(&id, &query).await.unwrap());
    let (mut events, mut others_events) =
        (gone.events(Some(&id), 0).await.unwrap(), stays.events(Some(&id), 0).await.unwrap());
    events.next().await.unwrap();
    others_events.next().await.unwrap();

    file.remove("gone").unwrap();
    let ended = tokio::time::timeout(PATIENCE, log.next()).await.unwrap().unwrap_err().to_string();
    assert!(ended.contains("let in no longer"), "{ended}");
    // The client asks for the rest of the stream, and hears that it may not.
    let ended = async {
        loop {
            if let Err(error) = events.next().await {
                return error.to_string();
            }
        }
    };
    let ended = tokio::time::timeout(PATIENCE, ended).await.unwrap();
    assert!(ended.contains("not known here, or was revoked"), "{ended}");
    // Nobody else notices.
    let idle = tokio::time::timeout(Duration::from_millis(200), others_log.next()).await;
    assert!(idle.is_err(), "{:?}", idle.unwrap());
    admin.stop(&id, None).await.unwrap();
    while others_events.next().await.unwrap().entry.event.detail("NewState") != Some("Stopped") {}
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_do_not_get_in_not_even_to_look() {
    let directory = tempfile::tempdir().unwrap();
    let config = Config::new(NodeId::new("orchestrator"), directory.path());
    let callers = Callers { names: Some(vec!["this-machine".to_owned()]), ..Callers::default() };
    let allowed_origins = vec!["https://app.example.com".to_owned()];
    let orchestrator = Orchestrator::start_as(Config { callers, allowed_origins, ..config }).await;
    let by = async |method: Method, origin: &str, path: &str| {
        let url = format!("{}{path}", orchestrator.api);
        Client::new().request(method, url).header("Origin", origin).send().await.unwrap()
    };
    for path in ["/orchestrator/jobs", "/orchestrator/jobs/none/logs", "/orchestrator/events"] {
        assert_eq!(by(Method::GET, "https://evil.example.com", path).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(by(Method::GET, "null", path).await.status(), StatusCode::FORBIDDEN);
    }
    let listed = by(Method::GET, "https://app.example.com", "/orchestrator/jobs").await;
    assert_eq!(listed.status(), StatusCode::OK);
    assert_eq!(listed.headers()["access-control-allow-origin"], "https://app.example.com");
    let asked = by(Method::OPTIONS, "https://app.example.com", "/orchestrator/jobs").await;
    assert!(asked.headers()["access-control-allow-methods"].to_str().unwrap().contains("PUT"));
    let own = orchestrator.api.strip_suffix("/api/v1").unwrap();
    assert_eq!(by(Method::GET, own, "/orchestrator/jobs").await.status(), StatusCode::OK);
    // A name that a stranger points at this machine.
    let rebound = Client::new().get(format!("{}/orchestrator/jobs", orchestrator.api));
    let rebound = rebound.header("Host", "evil.example.com:1234").send().await.unwrap();
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
}

/// What strangers may call; everything else that is documented is closed to them.
const OPEN: &[&str] =
    &["/agent/alive", "/agent/authconfig", "/agent/version", "/auth", "/auth/{method}", "/results/{name}"];

/// Every operation of the OpenAPI document: a new one is closed, or stands in the list above, or fails here.
#[tokio::test(flavor = "multi_thread")]
async fn every_operation_is_closed_to_strangers_to_wrong_keys_and_to_readers_who_want_to_change_something() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_asking(directory.path(), callers()).await;
    let document: Value = call(&orchestrator, Method::GET, "/openapi.json", None).await.json().await.unwrap();
    let (mut closed, mut open) = (0, Vec::new());
    for (template, operations) in document["paths"].as_object().unwrap() {
        let template = template.strip_prefix("/api/v1").unwrap();
        let path = template
            .replace("{digest}", &"0".repeat(64))
            .replace("{method}", "ClientKey")
            .replace("{id}", "none")
            .replace("{name}", "none");
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let status = async |key: Option<&str>| {
                call(&orchestrator, method.clone(), &path, key).await.status().as_u16()
            };
            let refused = |status: u16| status == 401 || status == 403;
            let shown = format!("{method} {template}");
            assert!(!refused(status(Some(ADMIN)).await), "{shown} for the administrator");
            if OPEN.contains(&template) {
                assert!(!refused(status(None).await), "{shown} is open");
                open.push(template);
                continue;
            }
            closed += 1;
            assert_eq!(status(None).await, 401, "{shown} for a stranger");
            assert_eq!(status(Some("a key that nobody has")).await, 401, "{shown} with a wrong key");
            let is_look = method == Method::GET || method == Method::HEAD;
            let reader = status(Some(READER)).await;
            match is_look && template != "/audit" {
                true => assert!(!refused(reader), "{shown} for a reader: {reader}"),
                false => assert_eq!(reader, 403, "{shown} for a reader"),
            }
        }
    }
    assert!(closed > 20, "{closed}");
    open.dedup();
    assert_eq!(open.len(), OPEN.len(), "all that is said to be open is there: {open:?}");
}
