//! Certificates ordered from a real ACME server, in strict mode and refusing nonces.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::harness::{EXTERNAL_ACCOUNT, Orchestrator, PATIENCE, Pebble, Ran, Rules, free_port};

const NAMES: [&str; 2] = ["one.example", "two.example"];

/// Settings for this authority.
fn settings(pebble: &Pebble, challenge: &str) -> Vec<String> {
    vec![
        format!("API.TLS.AutoCert={}", NAMES.join(",")),
        format!("API.TLS.AutoCertDirectory={}", pebble.directory()),
        format!("API.TLS.AutoCertDirectoryCA={}", pebble.ca_file().display()),
        format!("API.TLS.AutoCertHTTPPort={}", pebble.http_port),
        format!("API.TLS.AutoCertChallenge={challenge}"),
    ]
}

fn start(pebble: &Pebble, settings: &[String]) -> Orchestrator {
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    Orchestrator::start_on(pebble.tls_port, &settings, &[])
}

/// Calls by a name as if it were known; `arguments` say whom to believe.
fn curl(name: &str, port: u16, url: &str, arguments: &[&str]) -> Ran {
    let mut curl = Command::new("curl");
    curl.args(["-sS", "-f", "--resolve", &format!("{name}:{port}:127.0.0.1"), url]).args(arguments);
    Ran::to_end(&mut curl)
}

fn alive(name: &str, port: u16, root: &Path) -> Ran {
    let url = format!("https://{name}:{port}/api/v1/agent/alive");
    curl(name, port, &url, &["--cacert", root.to_str().unwrap()])
}

fn wait_for(orchestrator: &Orchestrator, pebble: &Pebble, what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        let logs = || format!("{}\n--- pebble\n{}", orchestrator.log(), pebble.log());
        assert!(start.elapsed() < PATIENCE, "{what}:\n{}", logs());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How often a certificate was issued.
fn issued(pebble: &Pebble) -> usize {
    pebble.log().matches("Issued certificate").count()
}

#[test]
fn a_certificate_for_several_names_is_ordered_by_each_challenge_and_kept_over_restarts() {
    for challenge in ["http-01", "tls-alpn-01"] {
        let Some(pebble) = Pebble::start(Rules::default()) else { return };
        let mut orchestrator = start(&pebble, &settings(&pebble, challenge));
        let (port, root) = (orchestrator.api_port(), pebble.root_file());
        for name in NAMES {
            wait_for(&orchestrator, &pebble, name, || alive(name, port, &root).code == Some(0));
        }
        let log = orchestrator.log();
        assert!(log.contains("waiting for a certificate for one.example, two.example"), "{log}");
        assert_eq!(issued(&pebble), 1, "{}", pebble.log());

        let cache = orchestrator.data_dir().join("autocert-cache");
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&cache), 0o700);
        let files: Vec<_> = cache.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.iter().all(|file| mode(file) == 0o600));

        if challenge == "http-01" {
            let url = format!("http://one.example:{}/some/path?a=b", pebble.http_port);
            let redirected = curl("one.example", pebble.http_port, &url, &["-i"]);
            let location = format!("location: https://one.example:{port}/some/path?a=b");
            assert!(redirected.expect(0).contains(&location), "{}", redirected.said());
        }
        let orders = || pebble.log().matches("/order-plz").count();
        let before = orders();
        assert!(before > 0, "{}", pebble.log());
        // An authority would soon turn away whoever ordered at each start.
        for _ in 0..50 {
            orchestrator.kill();
            orchestrator.start_again();
            assert_eq!(alive("one.example", port, &root).code, Some(0), "served at once");
        }
        assert_eq!((orders(), issued(&pebble)), (before, 1), "{}", pebble.log());
    }
}

#[test]
fn a_certificate_is_renewed_in_time_and_the_old_one_served_while_the_authority_is_down() {
    let Some(mut pebble) = Pebble::start(Rules { lifetime: 9, ..Rules::default() }) else { return };
    let orchestrator = start(&pebble, &settings(&pebble, "http-01"));
    let (port, root) = (orchestrator.api_port(), pebble.root_file());
    let url = format!("https://one.example:{port}/api/v1/agent/alive");
    wait_for(&orchestrator, &pebble, "first", || alive("one.example", port, &root).code == Some(0));
    wait_for(&orchestrator, &pebble, "renewed", || issued(&pebble) > 1);
    pebble.kill();
    wait_for(&orchestrator, &pebble, "failing", || orchestrator.log().contains("the one before is served"));
    assert_eq!(curl("one.example", port, &url, &["-k"]).code, Some(0));
    // It comes back with another root, and knows no account.
    pebble.start_again();
    let root = pebble.root_file();
    wait_for(&orchestrator, &pebble, "again", || alive("one.example", port, &root).code == Some(0));
    assert!(orchestrator.log().contains("does not know the account any more"), "{}", orchestrator.log());
}

#[test]
fn an_authority_that_is_not_believed_gets_no_order_and_clients_are_told_that_there_is_no_certificate_yet() {
    let Some(pebble) = Pebble::start(Rules::default()) else { return };
    let mut settings = settings(&pebble, "http-01");
    settings.retain(|setting| !setting.contains("DirectoryCA"));
    let orchestrator = start(&pebble, &settings);
    wait_for(&orchestrator, &pebble, "refused", || orchestrator.log().contains("UnknownIssuer"));
    assert!(orchestrator.log().contains("there is none to serve; next attempt in 60s"));
    let said = orchestrator.run(&["agent", "alive", "--tls"]).stderr;
    assert!(said.contains("no certificate to show yet"), "{said}");
}

#[test]
fn an_external_account_is_shown_where_the_authority_asks_for_one() {
    let Some(pebble) = Pebble::start(Rules { external_account: true, ..Rules::default() }) else { return };
    let without = start(&pebble, &settings(&pebble, "tls-alpn-01"));
    wait_for(&without, &pebble, "refused", || without.log().contains("no certificate for one.example"));
    assert!(without.log().contains("xternal"), "{}", without.log());
    drop(without);
    let mut settings = settings(&pebble, "tls-alpn-01");
    settings.push(format!("API.TLS.AutoCertEAB={EXTERNAL_ACCOUNT}"));
    let with = start(&pebble, &settings);
    let root = pebble.root_file();
    wait_for(&with, &pebble, "issued", || alive(NAMES[1], with.api_port(), &root).code == Some(0));
    assert!(!with.log().contains("zWNDZM6e"), "a secret in the log");
}

#[test]
fn what_cannot_be_ordered_is_said_before_any_port_opens() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("API.TLS.AutoCertHTTPPort={}", taken.local_addr().unwrap().port());
    let cases: &[(&[&str], &str)] = &[
        (&["--autocert", "192.0.2.1"], "`192.0.2.1` is not a name"),
        (&["--autocert", "*.example.com"], "`*.example.com` is not a name"),
        (&["--autocert", "one.example", "--self-signed"], "one certificate"),
        (&["--autocert", "one.example", "-c", &port], "AutoCertHTTPPort"),
        (&["--autocert", "one.example", "-c", "API.TLS.AutoCertEAB=secret"], "`KID:KEY`"),
    ];
    for (arguments, words) in cases {
        let data_dir = tempfile::tempdir().unwrap();
        let mut command = super::harness::skrei(["serve", "--orchestrator", "-c", "Orchestrator.Port=0"]);
        command.args(["--api-port", &free_port().to_string(), "--data-dir"]).arg(data_dir.path());
        // A port that may be had, unless the case says otherwise.
        command.args(["-c", &format!("API.TLS.AutoCertHTTPPort={}", free_port())]).args(*arguments);
        let ran = Ran::to_end(&mut command);
        assert!(!matches!(ran.code, Some(0 | 101) | None), "{}", ran.said());
        assert!(ran.stderr.contains(words) && !ran.stderr.contains("secret"), "{words}: {}", ran.said());
    }
}
