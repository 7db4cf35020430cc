//! HTTP requests of preview 1 guests, against real servers.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use skrei_runtime::network::{Attempt, DenialRule, Range};
use skrei_runtime::{Config, Ending, Limit, Limits, Network, Outcome, Runtime, Sandbox};

use crate::grounds::run;
use crate::web::{Web, answer};

fn fetch(network: Network, arguments: &[&str]) -> Outcome {
    run(skrei_test_guests::fetch(), Sandbox::new().network(network).args(arguments.iter().copied()))
}

fn listing(hosts: &[&str]) -> Network {
    Network::http(hosts).unwrap()
}

fn said(outcome: &Outcome) -> String {
    assert_eq!(outcome.ending, Ending::Exited(0));
    outcome.stdout.to_string()
}

/// The URL of a server on this machine.
fn url(port: u16, path: &str) -> String {
    format!("http://localhost:{port}{path}")
}

#[test]
fn a_request_arrives_as_it_was_made_and_its_answer_as_it_was_given() {
    let web =
        Web::answering(answer("201 Created", "x-one: 1\r\nContent-Type: text/plain\r\nX-one: 2\r\n", "made"));
    let headers =
        "Content-Type: text/plain\nX-Two:  a: b \nno colon\nHost: elsewhere.example\nContent-Length: 1";
    let outcome = fetch(listing(&["localhost"]), &["PUT", &url(web.port(), "/a/b?c=d#e"), headers, "body"]);
    assert_eq!(
        said(&outcome),
        "result 0, status 201\nX-One: 1\nX-One: 2\nContent-Type: text/plain\nContent-Length: 4\n\nmade"
    );
    let [asked] = &web.asked()[..] else { panic!("{:?}", web.asked()) };
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("PUT /a/b?c=d HTTP/1.1", "body"));
    let header = |name: &str| asked.headers.get(name).map(String::as_str);
    assert_eq!(header("host"), Some(&*format!("localhost:{}", web.port())), "the host that was judged");
    assert_eq!((header("x-two"), header("content-type")), (Some("a: b"), Some("text/plain")));
    assert_eq!(header("content-length"), Some("4"));
    assert!(header("user-agent").unwrap().starts_with("skrei/"));
    assert_eq!((outcome.usage.network.requests, outcome.usage.network.denied), (1, 0));
}

#[test]
fn every_method_has_its_number_and_others_are_bad_input() {
    let web = Web::answering("HTTP/1.1 204 No Content\r\n\r\n");
    let methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];
    for method in methods {
        let outcome = fetch(listing(&["localhost"]), &[method, &url(web.port(), "/")]);
        assert!(said(&outcome).starts_with("result 0, status 204"), "{method}");
    }
    let asked: Vec<_> = web.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(asked, methods.map(|method| format!("{method} / HTTP/1.1")));
    assert_eq!(
        said(&fetch(listing(&["localhost"]), &["BREW", &url(web.port(), "/")])),
        "result 6, status 0\n"
    );
}

#[test]
fn a_server_that_proves_who_it_is_is_asked_by_https() {
    let (web, authority) = Web::answering_securely(answer("200 OK", "", "secret"));
    let runtime =
        Runtime::new(Config { tls_roots: vec![authority], guests_max: 4, ..Config::default() }).unwrap();
    let ask = |runtime: &Runtime, host: &str| {
        let module = runtime.load(skrei_test_guests::fetch()).unwrap();
        let sandbox = Sandbox::new()
            .network(listing(&["localhost", "127.0.0.1"]))
            .args(["GET", &format!("https://{host}:{}/", web.port())]);
        said(&module.run_blocking(sandbox).unwrap())
    };
    assert_eq!(ask(&runtime, "localhost"), "result 0, status 200\nContent-Length: 6\n\nsecret");
    assert_eq!(ask(&runtime, "127.0.0.1"), "result 2, status 0\n", "the certificate is of another name");
    assert_eq!(ask(crate::grounds::runtime(), "localhost"), "result 2, status 0\n", "nobody vouches for it");
    assert_eq!(web.asked().len(), 1);
}

#[test]
fn a_host_that_is_not_granted_is_not_asked() {
    let web = Web::answering(answer("200 OK", "", ""));
    let denied = |network, host: &str| {
        let outcome = fetch(network, &["GET", &format!("http://{host}:{}/", web.port())]);
        assert_eq!(said(&outcome), "result 4, status 0\n", "{host}");
        let [denial] = &outcome.usage.network.denials[..] else { panic!("{:?}", outcome.usage) };
        (denial.rule, denial.to_string())
    };
    let port = web.port();
    let (rule, message) = denied(Network::Denied, "localhost");
    assert_eq!(rule, DenialRule::NoNetwork);
    assert_eq!(message, format!("a request to localhost:{port} was denied: the guest has no network"));
    assert_eq!(denied(listing(&["example.org"]), "localhost").0, DenialRule::NotListed);
    assert_eq!(denied(listing(&["localhost:1"]), "localhost").0, DenialRule::NotListed);
    assert_eq!(denied(listing(&["*"]), "127.0.0.1").0, DenialRule::NotPublic(Range::Loopback));
    assert_eq!(denied(listing(&["*"]), "[::ffff:127.0.0.1]").0, DenialRule::NotPublic(Range::Loopback));
    // Looked up, found to be this machine, and not connected.
    let (rule, message) = denied(listing(&["*"]), "localhost");
    assert_eq!(rule, DenialRule::NotPublic(Range::Loopback));
    assert!(message.contains("is a loopback address and not on the list"), "{message}");
    assert_eq!(web.asked(), []);
}

#[test]
fn all_of_the_network_includes_this_machine() {
    let web = Web::answering(answer("200 OK", "", "here"));
    let outcome = fetch(Network::Full, &["GET", &format!("http://127.0.0.1:{}/", web.port())]);
    assert!(said(&outcome).ends_with("here"));
}

#[test]
fn a_redirect_is_judged_like_any_other_request() {
    let target = Web::answering(answer("200 OK", "", "arrived"));
    let location = format!("Location: http://127.0.0.1:{}/there\r\n", target.port());
    let web = Web::answering(answer("302 Found", &location, ""));
    let ask = |hosts: &[&str]| {
        fetch(
            listing(hosts),
            &["POST", &url(web.port(), "/"), "Authorization: Bearer s\nX-Kept: yes", "body"],
        )
    };

    let outcome = ask(&["localhost"]);
    assert_eq!(said(&outcome), "result 4, status 0\n");
    let attempt = &outcome.usage.network.denials[0].attempt;
    assert!(matches!(attempt, Attempt::Request { port, .. } if *port == target.port()), "{attempt:?}");
    assert_eq!(target.asked(), []);

    assert!(said(&ask(&["localhost", "127.0.0.1"])).ends_with("arrived"));
    let [asked] = &target.asked()[..] else { panic!("{:?}", target.asked()) };
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("GET /there HTTP/1.1", ""));
    assert!(!asked.headers.contains_key("authorization") && asked.headers.contains_key("x-kept"));
}

#[test]
fn a_redirect_without_end_is_a_network_error() {
    let web = Web::answering(answer("302 Found", "Location: /again\r\n", ""));
    assert_eq!(
        said(&fetch(listing(&["localhost"]), &["GET", &url(web.port(), "/")])),
        "result 2, status 0\n"
    );
    assert_eq!(web.asked().len(), 11);
}

#[test]
fn what_does_not_fit_is_cut_off() {
    let web = Web::answering(answer("200 OK", "", "0123456789"));
    let ask = |headers_room: &str, body_room: &str| {
        said(&fetch(
            listing(&["localhost"]),
            &["GET", &url(web.port(), "/"), "", "", headers_room, body_room],
        ))
    };
    assert_eq!(ask("100", "4"), "result 0, status 200\nContent-Length: 10\n\n0123");
    assert_eq!(ask("7", "100"), "result 0, status 200\nContent\n\n0123456789");
    assert_eq!(ask("1", "1"), "result 0, status 200\nC\n\n0");
}

#[test]
fn an_answer_larger_than_the_guest_could_hold_is_refused() {
    // The guest has little more than a megabyte, however it is told about the length.
    let body = "x".repeat(8 << 20);
    let honest = Web::answering(answer("200 OK", "", &body));
    let chunked = Web::answering(format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    ));
    for web in [honest, chunked] {
        assert_eq!(
            said(&fetch(listing(&["localhost"]), &["GET", &url(web.port(), "/")])),
            "result 5, status 0\n"
        );
    }
}

#[test]
fn what_is_no_url_and_no_server_says_so() {
    for (url, result) in [
        ("", 1),
        ("localhost", 1),
        ("ftp://localhost/", 1),
        ("file:///etc/passwd", 1),
        ("http://", 1),
        ("http://localhost:0/", 1),
        ("http://localhost:65536/", 1),
        ("http://a..b/", 1),
        ("http://localhost:1/", 2),
        ("http://no-such-host.invalid/", 2),
    ] {
        let outcome = fetch(listing(&["localhost", "*.invalid"]), &["GET", url]);
        assert_eq!(said(&outcome), format!("result {result}, status 0\n"), "{url}");
    }
    let web = Web::answering("gibberish\r\n\r\n");
    assert_eq!(
        said(&fetch(listing(&["localhost"]), &["GET", &url(web.port(), "/")])),
        "result 2, status 0\n"
    );
    let bad_header = fetch(listing(&["localhost"]), &["GET", &url(web.port(), "/"), "a b: c"]);
    assert_eq!(said(&bad_header), "result 6, status 0\n");
}

#[test]
fn a_guest_that_waits_for_an_answer_ends_in_time() {
    // A server that listens and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(listener.local_addr().unwrap().port(), "/");
    let limits = Limits { wall_time: Some(Duration::from_millis(200)), ..Limits::default() };
    let sandbox = Sandbox::new().network(listing(&["localhost"])).limits(limits).args(["GET", &url]);
    let began = Instant::now();
    let outcome = run(skrei_test_guests::fetch(), sandbox);
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime));
    assert!(began.elapsed() < Duration::from_secs(20), "not the request's own time");
}

/// Calls `http_request` with these twelve numbers and exits with the result. `http://localhost:PORT/` is at 16, a
/// length of 16 at 100 and at 104; there is one page.
fn calls(port: u16, numbers: [u32; 12]) -> i32 {
    calls_with(1, port, numbers)
}

/// The same with so many pages.
fn calls_with(pages: u32, port: u16, numbers: [u32; 12]) -> i32 {
    let pushed: String = numbers.iter().map(|number| format!("(i32.const {number})")).collect();
    let params = "i32 ".repeat(12);
    let text = format!(
        r#"(module
            (import "wasi:http/requests" "http_request" (func $request (param {params}) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") {pages})
            (data (i32.const 16) "http://localhost:{port:05}/")
            (data (i32.const 100) "\10\00\00\00\10\00\00\00")
            (func (export "_start") (call $exit (call $request {pushed}))))"#
    );
    match run(text.as_bytes(), Sandbox::new().network(listing(&["localhost"]))).ending {
        Ending::Exited(code) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pointer_to_nowhere_is_seen_before_anything_is_sent() {
    let web = Web::answering(answer("200 OK", "", "ok"));
    // Method, URL, headers, body, then headers, their length, body, its length, and the status.
    let good = [0, 16, 23, 0, 0, 0, 0, 200, 100, 300, 104, 0];
    assert_eq!(calls(web.port(), good), 0);
    let with = |at: usize, number: u32| {
        let mut numbers = good;
        numbers[at] = number;
        calls(web.port(), numbers)
    };
    for (at, number, result) in [
        (1, 65_530, 1),
        (2, u32::MAX, 1),
        (3, 65_536, 0), // of length 0
        (7, 0, 6),
        (8, 0, 6),
        (9, 0, 6),
        (10, 0, 6),
        (7, 65_530, 7),
        (8, 65_533, 7),
        (9, u32::MAX, 7),
        (10, u32::MAX, 7),
        (11, 65_533, 7),
    ] {
        assert_eq!(with(at, number), result, "number {at} is {number}");
    }
    let mut headers = good;
    (headers[3], headers[4]) = (65_530, 10);
    assert_eq!(calls(web.port(), headers), 6);
    let mut body = good;
    (body[5], body[6]) = (65_530, 10);
    assert_eq!(calls(web.port(), body), 6);
    let asked = web.asked().len();
    assert_eq!(asked, 2, "the good ones alone");
}

#[test]
fn a_url_and_headers_longer_than_any_are_not_even_copied() {
    let web = Web::answering(answer("200 OK", "", "ok"));
    let good = [0, 16, 23, 4096, 0, 0, 0, 200, 100, 300, 104, 0];
    let with = |at: usize, number: u32| {
        let mut numbers = good;
        numbers[at] = number;
        calls_with(20, web.port(), numbers)
    };
    assert_eq!(with(4, 256 << 10), 0, "lines that say nothing");
    assert_eq!(with(4, (256 << 10) + 1), 5);
    assert_eq!(with(2, (64 << 10) + 1), 1);
    assert_eq!(web.asked().len(), 1);
}
