//! Inputs that a node fetches from a server, and those that it does not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect},
    routing::get,
};
use serde_json::{Value, json};
use skrei_job::{
    Digest,
    life::ExecutionState,
    outcome::{Cause, Failure, Refusal, Rule},
};
use skrei_test_guests as guests;
use tokio::net::TcpListener;

use crate::support::{Orchestrator, TestNode, job};

/// A server of files, by its address.
struct Web {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Web {
    async fn start() -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = |State(asked): State<Arc<AtomicUsize>>| async move {
            asked.fetch_add(1, Ordering::Relaxed);
            guests::noop().into_response()
        };
        let flaky = |State(asked): State<Arc<AtomicUsize>>| async move {
            match asked.fetch_add(1, Ordering::Relaxed) {
                0 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                _ => "at last".into_response(),
            }
        };
        let router = Router::new()
            .route("/files/hello.txt", get(|| async { "hello" }))
            .route("/module.wasm", get(counted))
            .route("/flaky.txt", get(flaky))
            .route("/moved/a.txt", get(|| async { Redirect::temporary("/files/hello.txt") }))
            .route("/loop/a.txt", get(|| async { Redirect::temporary("/loop/a.txt") }))
            .route(
                "/inwards/a.txt",
                get(|| async { Redirect::temporary("http://169.254.169.254/latest/meta-data") }),
            )
            .route("/large.bin", get(|| async { vec![0_u8; 2 << 20] }))
            .fallback(|| async { StatusCode::NOT_FOUND })
            .with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    fn input(&self, path: &str, target: &str) -> Value {
        download(&format!("http://{}{path}", self.address), target)
    }
}

fn download(url: &str, target: &str) -> Value {
    json!({"Source": {"Type": "urlDownload", "Params": {"URL": url}}, "Target": target})
}

fn output(state: &ExecutionState) -> &str {
    &state.output().unwrap_or_else(|| panic!("{state:?} has no output")).stdout
}

fn failure(state: ExecutionState) -> Failure {
    if let ExecutionState::Failed(failure) = state { failure } else { panic!("{state:?} is no failure") }
}

fn refusal(state: ExecutionState) -> Refusal {
    if let ExecutionState::Refused(refusal) = state { refusal } else { panic!("{state:?} is no refusal") }
}

#[tokio::test]
async fn files_behind_urls_lie_in_their_targets_by_their_names() {
    let (mut orchestrator, web) = (Orchestrator::start().await, Web::start().await);
    let node = TestNode::start(&orchestrator, |config| config.fetch_hosts = vec!["127.0.0.0/8".to_owned()]);
    let mut session = orchestrator.session().await;
    assert!(session.hello.as_ref().unwrap().info.sources.contains(&"urlDownload".to_owned()));
    let inputs = [
        orchestrator.holds(guests::probe(), "/main.wasm"),
        web.input("/files/hello.txt", "/in"),
        web.input("/moved/a.txt", "/in"),
        web.input("/flaky.txt?signature=x", "/other"),
    ];
    let steps = ["read /in:hello.txt", "read /in:a.txt", "read /other:flaky.txt", "write /in:hello.txt x"];
    let printed = session.run("e-1", &job(&inputs, &steps)).await;
    let printed = output(&printed);
    for line in
        ["read /in:hello.txt: ok hello", "read /in:a.txt: ok hello", "read /other:flaky.txt: ok at last"]
    {
        assert!(printed.contains(line), "{line} in {printed}");
    }
    assert!(!printed.contains("write /in:hello.txt x: ok"), "guests only read what was fetched: {printed}");
    node.stop().await;
}

#[tokio::test]
async fn a_module_behind_a_url_is_fetched_once_if_its_digest_is_pinned() {
    let (mut orchestrator, web) = (Orchestrator::start().await, Web::start().await);
    let node = TestNode::start(&orchestrator, |config| config.fetch_hosts = vec!["127.0.0.1".to_owned()]);
    let mut session = orchestrator.session().await;
    let pinned = |digest: &str| {
        let mut input = web.input("/module.wasm", "/main.wasm");
        input["Source"]["Params"]["SHA256"] = json!(digest);
        input
    };
    let digest = Digest::of(guests::noop()).hex();
    for execution in ["e-1", "e-2"] {
        let state = session.run(execution, &job(&[pinned(&digest)], &[])).await;
        assert_eq!(output(&state), "hello\n");
    }
    assert_eq!(web.asked.load(Ordering::Relaxed), 1);
    let other = failure(session.run("e-3", &job(&[pinned(&"0".repeat(64))], &[])).await);
    assert_eq!(other.cause, Cause::NotPrepared);
    assert!(other.message.contains(&format!("sha256:{digest}")), "{}", other.message);
    let data = node.stop().await;
    let kept = std::fs::read_dir(data.path().join("compute/artifacts")).unwrap().count();
    assert_eq!(kept, 1, "what is not what it should be is not kept");
}

#[tokio::test]
async fn a_node_fetches_nothing_from_where_its_owner_does_not_let_it() {
    let (mut orchestrator, web) = (Orchestrator::start().await, Web::start().await);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let port = web.address.rsplit(':').next().unwrap().to_owned();
    let urls = [
        format!("http://{}/files/hello.txt", web.address),
        format!("http://localhost:{port}/files/hello.txt"),
        format!("http://[::ffff:127.0.0.1]:{port}/files/hello.txt"),
        format!("http://0x7f000001:{port}/files/hello.txt"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/x".to_owned(),
        "http://[fd00::1]/x".to_owned(),
    ];
    for (index, url) in urls.iter().enumerate() {
        let job = job(&[module.clone(), download(url, "/in")], &[]);
        let refused = refusal(session.run(&format!("e-{index}"), &job).await);
        assert_eq!(refused.rule, Rule::Network, "{url}: {}", refused.message);
        assert!(refused.hint.unwrap().contains("InputSources.Hosts"), "{url}");
    }
    node.stop().await;

    let node = TestNode::start(&orchestrator, |config| {
        config.fetch_hosts = vec!["127.0.0.1".to_owned()];
        config.limits.fetch_bytes = 1 << 20;
    });
    let mut session = orchestrator.session().await;
    let inwards = job(&[module.clone(), web.input("/inwards/a.txt", "/in")], &[]);
    assert_eq!(
        refusal(session.run("f-0", &inwards).await).rule,
        Rule::Network,
        "a redirection is judged, too"
    );
    for (index, (path, words)) in [
        ("/loop/a.txt", "redirects more than 5 times"),
        ("/nothing.txt", "answers 404"),
        ("/large.bin", "more than the 1048576 bytes"),
    ]
    .into_iter()
    .enumerate()
    {
        let job = job(&[module.clone(), web.input(path, "/in")], &[]);
        let failed = failure(session.run(&format!("g-{index}"), &job).await);
        assert_eq!(failed.cause, Cause::NotPrepared);
        assert!(failed.message.contains(words), "{}", failed.message);
    }
    node.stop().await;

    let node =
        TestNode::start(&orchestrator, |config| config.disabled_sources = vec!["URLDownload".to_owned()]);
    let mut session = orchestrator.session().await;
    assert!(!session.hello.as_ref().unwrap().info.sources.contains(&"urlDownload".to_owned()));
    let job = job(&[module, web.input("/files/hello.txt", "/in")], &[]);
    assert_eq!(refusal(session.run("h-0", &job).await).rule, Rule::Unsupported);
    node.stop().await;
}
