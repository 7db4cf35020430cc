//! HTTP requests of components (`wasi:http`), judged like those of modules.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use skrei_runtime::network::{Attempt, DenialRule, Range};
use skrei_runtime::{Config, Ending, Limit, Limits, Network, Outcome, Runtime, Sandbox};
use skrei_test_guests::{p2, p3};

use crate::grounds::run;
use crate::web::{Web, answer};

fn listing(hosts: &[&str]) -> Network {
    Network::http(hosts).unwrap()
}

fn url(port: u16, path: &str) -> String {
    format!("http://localhost:{port}{path}")
}

/// Has a component of each version make a request.
#[track_caller]
fn each(network: &Network, arguments: &[&str], check: impl Fn(Outcome)) {
    for guest in [p2::request(), p3::request()] {
        let sandbox = Sandbox::new().network(network.clone()).args(arguments.iter().copied());
        let outcome = run(guest, sandbox);
        assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
        check(outcome);
    }
}

#[test]
fn a_component_makes_a_request_and_has_the_whole_answer() {
    let body = "x".repeat(300_000);
    let web = Web::answering(answer("201 Created", "X-One: 1\r\n", &body));
    let address = url(web.port(), "/a/b?c=d");
    // The guest says how long its body is; the server reads no other.
    each(&listing(&["localhost"]), &["PUT", &address, "Content-Length: 4", "body"], |outcome| {
        let said = outcome.stdout.to_string();
        assert!(said.starts_with("status 201\nx-one: 1\ncontent-length: 300000\n\nxxx"), "{}", &said[..90]);
        assert_eq!(said.len(), "status 201\nx-one: 1\ncontent-length: 300000\n\n".len() + body.len());
        assert_eq!((outcome.usage.network.requests, outcome.usage.network.denied), (1, 0));
    });
    let asked = web.asked();
    assert_eq!(asked.len(), 2);
    for asked in asked {
        assert_eq!((asked.line.as_str(), asked.body.as_str()), ("PUT /a/b?c=d HTTP/1.1", "body"));
        assert_eq!(asked.headers["host"], format!("localhost:{}", web.port()), "the host that was judged");
    }
}

#[test]
fn a_redirect_is_the_components_to_follow() {
    let web = Web::answering(answer("302 Found", "Location: /there\r\n", ""));
    each(&listing(&["localhost"]), &["GET", &url(web.port(), "/")], |outcome| {
        assert!(
            outcome.stdout.to_string().starts_with("status 302\nlocation: /there\n"),
            "{}",
            outcome.stdout
        );
    });
    assert_eq!(web.asked().len(), 2);
}

#[test]
fn a_server_that_proves_who_it_is_is_asked_by_https() {
    let (web, authority) = Web::answering_securely(answer("200 OK", "", "secret"));
    let trusting =
        Runtime::new(Config { tls_roots: vec![authority], guests_max: 4, ..Config::default() }).unwrap();
    for guest in [p2::request(), p3::request()] {
        let ask = |runtime: &Runtime, host: &str| {
            let sandbox = Sandbox::new()
                .network(listing(&["localhost", "127.0.0.1"]))
                .args(["GET", &format!("https://{host}:{}/", web.port())]);
            runtime.load(guest).unwrap().run_blocking(sandbox).unwrap().stdout.to_string()
        };
        assert!(ask(&trusting, "localhost").ends_with("\nsecret"));
        for (runtime, host) in [(&trusting, "127.0.0.1"), (crate::grounds::runtime(), "localhost")] {
            let said = ask(runtime, host);
            assert!(said.contains("TlsCertificateError"), "{said}");
        }
    }
    assert_eq!(web.asked().len(), 2);
}

#[test]
fn a_host_that_is_not_granted_is_not_asked() {
    let web = Web::answering(answer("200 OK", "", ""));
    let denied = |network: Network, host: &str, rule: DenialRule, code: &str| {
        each(&network, &["GET", &format!("http://{host}:{}/", web.port())], |outcome| {
            assert!(outcome.stdout.to_string().contains(code), "{host}: {}", outcome.stdout);
            let [denial] = &outcome.usage.network.denials[..] else { panic!("{:?}", outcome.usage) };
            assert_eq!(denial.rule, rule, "{host}");
            assert!(!matches!(denial.attempt, Attempt::Sockets), "{denial}");
        });
    };
    let not_public = DenialRule::NotPublic(Range::Loopback);
    denied(Network::Denied, "localhost", DenialRule::NoNetwork, "HttpRequestDenied");
    denied(listing(&["example.org"]), "localhost", DenialRule::NotListed, "HttpRequestDenied");
    denied(listing(&["localhost:1"]), "localhost", DenialRule::NotListed, "HttpRequestDenied");
    denied(listing(&["*"]), "127.0.0.1", not_public, "HttpRequestDenied");
    // Looked up, found to be this machine, and not connected.
    denied(listing(&["*"]), "localhost", not_public, "DestinationIpProhibited");
    assert_eq!(web.asked(), []);
}

#[test]
fn what_goes_wrong_has_a_name() {
    let head = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "x".repeat(100_000));
    let long = Web::answering(head);
    let large = Web::answering("HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n");
    let gibberish = Web::answering("gibberish\r\n\r\n");
    let closed = Web::answering("");
    let network = listing(&["localhost", "*.invalid"]);
    for (method, url, code) in [
        ("CONNECT", &*url(closed.port(), "/"), "HttpRequestMethodInvalid"),
        ("GET", &url(1, "/"), "ConnectionRefused"),
        ("GET", "http://no-such-host.invalid/", "DnsError"),
        ("GET", &url(long.port(), "/"), "HttpResponseHeaderSectionSize"),
        ("GET", &url(large.port(), "/"), "HttpResponseBodySize"),
        ("GET", &url(gibberish.port(), "/"), "HttpProtocolError"),
        ("GET", &url(closed.port(), "/"), "HttpResponseIncomplete"),
    ] {
        each(&network, &[method, url], |outcome| {
            let said: String = outcome.stdout.to_string().chars().take(200).collect();
            assert!(said.contains(code), "{method} {url}: {said}");
        });
    }
}

#[test]
fn connections_count_as_open_files() {
    let web = Web::answering(answer("200 OK", "", &"x".repeat(32 << 20)));
    for guest in [p2::request(), p3::request()] {
        let limits = Limits { open_files: 3, ..Limits::default() };
        let sandbox =
            Sandbox::new().network(Network::Full).limits(limits).args(["hold", &url(web.port(), "/")]);
        let outcome = run(guest, sandbox);
        let said = outcome.stdout.to_string();
        assert!(
            said.starts_with("3 ") && said.contains("ConnectionLimitReached"),
            "{said}{}",
            outcome.stderr
        );
    }
}

#[test]
fn a_component_that_waits_for_an_answer_ends_in_time() {
    // A server that listens and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(listener.local_addr().unwrap().port(), "/");
    for guest in [p2::request(), p3::request()] {
        let limits = Limits { wall_time: Some(Duration::from_millis(200)), ..Limits::default() };
        let sandbox = Sandbox::new().network(listing(&["localhost"])).limits(limits).args(["GET", &url]);
        assert_eq!(run(guest, sandbox).ending, Ending::HitLimit(Limit::WallTime));
    }
}

#[test]
fn a_component_that_gives_a_request_up_is_told_its_own_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = url(listener.local_addr().unwrap().port(), "/");
    // It reads what comes, and answers nothing.
    let server =
        std::thread::spawn(move || std::io::copy(&mut listener.accept().unwrap().0, &mut std::io::sink()));
    let outcome =
        run(p3::request(), Sandbox::new().network(listing(&["localhost"])).args(["abort", &address]));
    assert_eq!(
        outcome.stdout.to_string(),
        "ErrorCode::InternalError(Some(\"given up\"))\n",
        "{}",
        outcome.stderr
    );
    server.join().unwrap().unwrap();
}

#[test]
fn a_component_is_not_told_that_a_request_was_transmitted_that_was_not() {
    let ask = |network: &Network, address: &str| {
        let sandbox = Sandbox::new().network(network.clone()).args(["transmit", address]);
        run(p3::request(), sandbox).stdout.to_string()
    };
    let web = Web::answering(answer("204 No Content", "", ""));
    let (there, nobody) = (url(web.port(), "/"), TcpListener::bind("127.0.0.1:0").unwrap());
    assert_eq!(ask(&listing(&["localhost"]), &there), "Ok(204) Ok(())\n");
    assert_eq!(ask(&listing(&["localhost"]), there.trim_end_matches('/')), "Ok(204) Ok(())\n");
    assert!(
        web.asked().iter().all(|asked| asked.line == "GET / HTTP/1.1"),
        "no path is that of all there is"
    );
    let (denied, refused) = ("ErrorCode::HttpRequestDenied", "ErrorCode::ConnectionRefused");
    assert_eq!(ask(&Network::Denied, &there), format!("Err({denied}) Err({denied})\n"));
    let not_there = url(nobody.local_addr().unwrap().port(), "/");
    drop(nobody);
    assert_eq!(ask(&listing(&["localhost"]), &not_there), format!("Err({refused}) Err({refused})\n"));
    // What is no request at all.
    let (protocol, uri) = ("ErrorCode::HttpProtocolError", "ErrorCode::HttpRequestUriInvalid");
    assert_eq!(
        ask(&listing(&["localhost"]), "ftp://localhost/"),
        format!("Err({protocol}) Err({protocol})\n")
    );
    assert_eq!(ask(&listing(&["localhost"]), "http:///x"), format!("Err({uri}) Err({uri})\n"));
}

#[test]
fn what_a_component_says_after_the_body_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = url(listener.local_addr().unwrap().port(), "/");
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let (mut asked, mut piece) = (String::new(), [0; 1024]);
        while !asked.contains("\r\n0\r\n") || !asked.ends_with("\r\n\r\n") {
            let length = stream.read(&mut piece).unwrap();
            asked += std::str::from_utf8(&piece[..length]).unwrap();
        }
        stream.write_all(answer("200 OK", "", "").as_bytes()).unwrap();
        asked
    });
    let outcome =
        run(p3::request(), Sandbox::new().network(listing(&["localhost"])).args(["trail", &address]));
    assert_eq!(outcome.stdout.to_string(), "status 200\n", "{}", outcome.stderr);
    let asked = server.join().unwrap();
    assert!(asked.contains("trailer: x-sum\r\n") && asked.ends_with("\r\n0\r\nx-sum: 1\r\n\r\n"), "{asked}");
}

#[test]
fn a_request_takes_no_words_that_no_server_takes() {
    for (length, taken) in [("1000", "true true\n"), ("1025", "false false\n"), ("4000000", "false false\n")]
    {
        // They are kept with the request, whether it may be sent or not.
        each(&Network::Denied, &["words", length], |outcome| assert_eq!(outcome.stdout.to_string(), taken));
    }
}
