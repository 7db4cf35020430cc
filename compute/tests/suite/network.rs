//! What of the network a job gets, and who hears of what it did not get.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
};

use serde_json::{Value, json};
use skrei_compute::NetworkAllowed;
use skrei_job::{Manifest, Spec, life::ExecutionState, outcome::Rule};
use skrei_runtime::HostPattern;
use skrei_test_guests as guests;

use crate::support::{Orchestrator, TestNode, job_with};

/// Answers one request after another with `hello`; its port.
fn web() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    port
}

fn fetching(module: &Value, url: &str, network: Value) -> Spec {
    job_with(std::slice::from_ref(module), &["GET", url], json!({"Network": network}))
}

fn stdout(state: &ExecutionState) -> &str {
    &state.output().unwrap().stdout
}

#[tokio::test]
async fn a_job_reaches_what_it_asks_for_if_the_owner_allows_it() {
    let port = web();
    let url = format!("http://localhost:{port}/");
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| {
        config.network_allowed = NetworkAllowed::Http;
        config.network_domains = vec!["localhost".to_owned(), "*.example.org".to_owned()];
    });
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::fetch(), "/main.wasm");

    let asked = json!({"Type": "HTTP", "Domains": [format!("localhost:{port}")]});
    let state = session.run("e-1", &fetching(&module, &url, asked.clone())).await;
    assert!(stdout(&state).ends_with("hello"), "{state:?}");
    assert!(state.output().unwrap().denials.is_empty());

    // The guest itself wants more than its job asked for: it is told, and so is whoever reads the outcome.
    let state = session.run("e-2", &fetching(&module, "http://evil.example/", asked)).await;
    assert_eq!(stdout(&state), "result 4, status 0\n");
    let [denial] = &state.output().unwrap().denials[..] else { panic!("{state:?}") };
    assert_eq!(denial.rule, "not-listed");
    assert!(denial.message.contains("evil.example:80"), "{denial:?}");

    let state = session.run("e-3", &fetching(&module, &url, json!({}))).await;
    assert_eq!(state.output().unwrap().denials[0].rule, "no-network");

    for (execution, network, part) in [
        (
            "e-4",
            json!({"Type": "HTTP", "Domains": ["example.com"]}),
            "`example.com` (tried `localhost`, `*.example.org`)",
        ),
        ("e-5", json!({"Type": "HTTP", "Domains": ["a.example.org", "*"]}), "`*`"),
        ("e-6", json!({"Type": "Full"}), "`Compute.Network.Allow` is `http`"),
        ("e-7", json!({"Type": "Host"}), "`Compute.Network.Allow` is `http`"),
    ] {
        match session.run(execution, &fetching(&module, &url, network.clone())).await {
            ExecutionState::Refused(refusal) => {
                assert_eq!(refusal.rule, Rule::Network, "{network}");
                assert!(refusal.message.contains(part) && refusal.hint.is_some(), "{refusal:?}");
            }
            other => panic!("{network}: {other:?}"),
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn a_node_gives_no_network_unless_its_owner_says_so() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::fetch(), "/main.wasm");
    for (execution, network) in
        [("e-1", json!({"Type": "HTTP", "Domains": ["example.org"]})), ("e-2", json!({"Type": "Full"}))]
    {
        let state = session.run(execution, &fetching(&module, "http://example.org/", network)).await;
        assert!(
            matches!(&state, ExecutionState::Refused(refusal) if refusal.rule == Rule::Network),
            "{state:?}"
        );
    }
    for (execution, network) in [("e-3", json!({"Type": "Bridge"})), ("e-4", json!({"Type": "Default"}))] {
        let state = session.run(execution, &fetching(&module, "http://example.org/", network)).await;
        assert_eq!(stdout(&state), "result 4, status 0\n");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_guest_listens_where_its_job_says_and_the_owner_allows_and_nowhere_else() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.network_ports = vec![free.to_string()]);
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::p2::connect(), "/main.wasm");
    let listening = |address: &str, ports: Value| {
        job_with(std::slice::from_ref(&module), &["listen", address], json!({"Network": {"Ports": ports}}))
    };
    let port = free.port();
    let state = session.run("e-1", &listening(&free.to_string(), json!([port]))).await;
    assert_eq!(stdout(&state), "ok\n");
    let state = session.run("e-2", &listening("127.0.0.1:0", json!([port]))).await;
    assert_eq!(stdout(&state), "PermissionDenied\n");
    let denials = &state.output().unwrap().denials;
    assert!(denials.iter().any(|denial| denial.message.contains("a socket at 127.0.0.1:0")), "{denials:?}");

    let everywhere = json!([{"Name": "http", "Static": port, "HostNetwork": "0.0.0.0"}]);
    for (execution, ports) in [("e-3", everywhere), ("e-4", json!([port, 1]))] {
        match session.run(execution, &listening("0.0.0.0:0", ports.clone())).await {
            ExecutionState::Refused(refusal) => {
                assert_eq!(refusal.rule, Rule::Network, "{ports}");
                assert!(refusal.message.contains("does not let guests listen on"), "{refusal:?}");
            }
            other => panic!("{ports}: {other:?}"),
        }
    }
    node.stop().await;
}

/// Job files are checked where nobody knows what a host is compared with; the two must agree.
#[test]
fn a_domain_that_a_job_may_list_is_one_that_a_node_can_compare() {
    let pieces = [
        "",
        "*",
        "*.",
        ".",
        "a",
        "B.example",
        "a..b",
        "-a",
        "1",
        "0x1",
        "127.0.0.1",
        "127.1",
        "10.0.0.0",
        "::1",
        "fd00::",
        "::ffff:10.0.0.1",
        "ü.example",
        "a_b.c",
        "%61",
    ];
    let ends = [
        "", ".", "/8", "/0", "/32", "/33", "/", ":80", ":0", ":", ":x", "]", "]:443", "/8:443", "/8]:443",
        "/x",
    ];
    let mut accepted = 0;
    for start in ["", "["] {
        for (first, second) in
            pieces.iter().flat_map(|first| pieces.iter().map(move |second| (first, second)))
        {
            for end in ends {
                let domain = format!("{start}{first}{second}{end}");
                let manifest: Manifest = serde_json::from_value(json!({
                    "Name": "x", "Type": "ops",
                    "Tasks": [{"Name": "m", "Engine": {"Type": "wasm", "Params": {"EntryModule": "/m"}},
                        "InputSources": [{"Target": "/m", "Source": {"Type": "inline", "Params": {"URL": "data:,x"}}}],
                        "Network": {"Type": "HTTP", "Domains": [domain]}}]
                })).unwrap();
                if Spec::try_from(manifest).is_ok() {
                    accepted += 1;
                    assert!(domain.parse::<HostPattern>().is_ok(), "{domain}");
                }
            }
        }
    }
    assert!(accepted > 50, "{accepted}");
}
