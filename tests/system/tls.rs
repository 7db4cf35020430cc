//! HTTPS as people use it: their own certificate or one made here, renewed under load, and mistakes explained.

use std::{
    collections::BTreeSet,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use skrei_protocol::client::Client;
use skrei_tls::{Authority, Fingerprint, PairFiles, Trust, read_certificate};

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, skrei, wait_for_end};

/// A pair for `localhost`, made by an authority of its own.
fn pair(directory: &Path) -> (Authority, PairFiles) {
    let authority = Authority::open(directory.to_owned()).unwrap();
    let names = BTreeSet::from(["localhost".to_owned()]);
    authority.provide(&names, SystemTime::now()).unwrap();
    let files = authority.server_files();
    (authority, files)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_works_over_https_with_certificate_files() {
    let directory = tempfile::tempdir().unwrap();
    let (authority, files) = pair(directory.path());
    let arguments = ["--tlscert", text(&files.certificate), "--tlskey", text(&files.key)];
    let orchestrator = Orchestrator::start_with(&[], &arguments);
    let _node = Node::start(&orchestrator, "worker", "rw");
    let ca = authority.certificate_file();
    let trust = Trust { ca_file: Some(ca.clone()), ..Trust::default() };
    let endpoint = format!("https://localhost:{}", orchestrator.api_port());
    let client = Client::trusting(&endpoint, &trust).unwrap();
    while client.nodes("").await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await;
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    assert_eq!(wait_for_end(&client, &id).await.job.state.state_type.as_str(), "Completed");
    // The log comes over a websocket.
    let logs =
        orchestrator.run(&["job", "logs", "-f", &id, "--api-host", "localhost", "--cacert", text(&ca)]);
    assert_eq!(logs.expect(0), "hello\n");

    let said = |arguments: &[&str]| {
        let ran = orchestrator.run(&[&["agent", "alive"], arguments].concat());
        assert_ne!(ran.code, Some(0), "{}", ran.said());
        ran.stderr
    };
    let plain = said(&["--api-host", "localhost"]);
    assert!(plain.contains("speaks HTTPS") && plain.contains("--tls"), "{plain}");
    let unknown = said(&["--api-host", "localhost", "--tls"]);
    assert!(unknown.contains("no authority") && unknown.contains("--cacert"), "{unknown}");
    let other_name = said(&["--api-host", "127.0.0.1", "--cacert", text(&ca)]);
    assert!(other_name.contains("for another name"), "{other_name}");
    let no_file = said(&["--cacert", "/nowhere/ca.pem"]);
    assert!(no_file.contains("/nowhere/ca.pem"), "{no_file}");
    orchestrator.run(&["agent", "alive", "--insecure"]).expect(0);
    let fingerprint = format!("API.TLS.Fingerprint={}", authority.fingerprint().unwrap());
    orchestrator.run(&["agent", "alive", "--api-host", "localhost", "-c", &fingerprint]).expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_signed_server_is_trusted_by_its_authority_and_by_nothing_else() {
    let orchestrator = Orchestrator::start_with(&[], &["--self-signed"]);
    let ca = orchestrator.data_dir().join("tls/ca.pem");
    orchestrator.run(&["agent", "alive", "--cacert", text(&ca)]).expect(0);
    assert!(orchestrator.run(&["agent", "alive", "--tls"]).stderr.contains("no authority"));
    let log = orchestrator.log();
    assert!(log.contains("API at https://") && log.contains("--cacert") && log.contains("SHA-256"), "{log}");
    // With the server's own configuration, commands on its machine need no more.
    let data_dir = orchestrator.data_dir();
    orchestrator
        .run(&["agent", "alive", "-c", "API.TLS.SelfSigned=true", "--data-dir", text(&data_dir)])
        .expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_speaks_tls_to_a_plain_server_is_told() {
    let orchestrator = Orchestrator::start(&[]);
    let said = orchestrator.run(&["agent", "alive", "--tls"]).stderr;
    assert!(said.contains("does not speak TLS") && said.contains("http://"), "{said}");
}

#[test]
fn a_certificate_that_is_wrong_is_refused_before_any_port_opens() {
    let directory = tempfile::tempdir().unwrap();
    let (_, files) = pair(&directory.path().join("one"));
    let (_, other) = pair(&directory.path().join("other"));
    let nowhere = directory.path().join("nowhere.pem");
    let cases: &[(&[&str], &str)] = &[
        (&["--tlscert", text(&nowhere), "--tlskey", text(&files.key)], "does not exist"),
        (&["--tlscert", text(&files.certificate), "--tlskey", text(&other.key)], "another certificate"),
        (&["--tlscert", text(&files.key), "--tlskey", text(&files.key)], "no certificate in PEM form"),
        (&["--tlscert", text(&files.certificate)], "--tlskey"),
        (&["--tlscert", text(&files.certificate), "--tlskey", text(&files.key), "--self-signed"], "not both"),
    ];
    for (arguments, words) in cases {
        let data_dir = directory.path().join("data");
        let mut command = skrei(["serve", "--orchestrator", "--api-port", "0", "-c", "Orchestrator.Port=0"]);
        let ran = Ran::to_end(command.args(["--data-dir", text(&data_dir)]).args(*arguments));
        assert!(!matches!(ran.code, Some(0 | 101) | None), "{}", ran.said());
        assert!(ran.stderr.contains(words), "{words}: {}", ran.said());
        assert!(!ran.stderr.contains("API at"), "{}", ran.said());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renewing_the_certificate_under_load_loses_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let (_, files) = pair(directory.path());
    let arguments = ["--tlscert", text(&files.certificate), "--tlskey", text(&files.key)];
    let orchestrator = Orchestrator::start_with(&[], &arguments);
    let endpoint = format!("https://localhost:{}", orchestrator.api_port());
    let over = Arc::new(AtomicBool::new(false));
    let ours = {
        let (endpoint, over) = (endpoint.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let trust = Trust { insecure: true, ..Trust::default() };
            let kept = Client::trusting(&endpoint, &trust).unwrap();
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                // One connection that lives on, and a new one each time.
                kept.alive().await.unwrap();
                Client::trusting(&endpoint, &trust).unwrap().alive().await.unwrap();
                answered += 2;
            }
            answered
        })
    };
    let curls = {
        let (url, over) = (format!("{endpoint}/api/v1/agent/alive"), Arc::clone(&over));
        tokio::task::spawn_blocking(move || {
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                let curl = Command::new("curl").args(["-skf", &url]).output().expect("curl is installed");
                assert!(curl.status.success(), "{curl:?}");
                answered += 1;
            }
            answered
        })
    };
    for round in 0..100 {
        let renewed = tempfile::tempdir().unwrap();
        let (_, new) = pair(renewed.path());
        if round % 2 == 0 {
            // In place and half by half, as the clumsiest tool would.
            std::fs::copy(&new.certificate, &files.certificate).unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
            std::fs::copy(&new.key, &files.key).unwrap();
        } else {
            for (new, at) in [(&new.key, &files.key), (&new.certificate, &files.certificate)] {
                let beside = at.with_extension("beside");
                std::fs::copy(new, &beside).unwrap();
                std::fs::rename(beside, at).unwrap();
            }
        }
        // Each is served before the next comes: a hundred certificates, one after the other.
        let expected = Fingerprint::of(&read_certificate(&files.certificate).unwrap());
        let start = Instant::now();
        while !is_served(&endpoint, expected).await {
            assert!(start.elapsed() < PATIENCE, "{round}: {}", orchestrator.log());
            assert!(!ours.is_finished() && !curls.is_finished(), "a request was lost");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    assert!(ours.await.unwrap() > 100 && curls.await.unwrap() > 100);
    assert_eq!(orchestrator.log().matches("a new certificate is served").count(), 100);
}

/// Whether new connections get the certificate with this fingerprint.
async fn is_served(endpoint: &str, fingerprint: Fingerprint) -> bool {
    let trust = Trust { fingerprint: Some(fingerprint), ..Trust::default() };
    Client::trusting(endpoint, &trust).unwrap().alive().await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_local_authority_serves_another_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let cert = |arguments: &[&str]| {
        let mut command = skrei([&["cert"], arguments].concat());
        Ran::to_end(command.current_dir(directory.path()).args(["--data-dir", text(directory.path())]))
    };
    assert!(cert(&["show"]).expect(3).contains("no local authority"));
    cert(&["issue", "localhost", "192.0.2.7"]).expect(0);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path("localhost-key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    cert(&["issue", "anna", "--client", "--days", "1"]).expect(0);
    let shown = cert(&["show", "localhost.pem"]).expect(0);
    assert!(
        shown.contains("192.0.2.7") && shown.contains("server") && shown.contains("authority"),
        "{shown}"
    );
    assert!(cert(&["show", "anna.pem"]).expect(0).contains("client"));
    assert!(cert(&["show", "anna-key.pem"]).expect(2).contains("no certificate"));
    let exported = cert(&["export", "-o", "ca-copy.pem"]);
    exported.expect(0);
    let (ca, key) = (path("ca-copy.pem"), path("localhost-key.pem"));
    let certificate = path("localhost.pem");
    let arguments = ["--tlscert", text(&certificate), "--tlskey", text(&key)];
    let orchestrator = Orchestrator::start_with(&[], &arguments);
    orchestrator.run(&["agent", "alive", "--api-host", "localhost", "--cacert", text(&ca)]).expect(0);
    let fingerprint = cert(&["fingerprint"]).expect(0);
    let pinned = format!("API.TLS.Fingerprint={}", fingerprint.trim());
    orchestrator.run(&["agent", "alive", "--api-host", "localhost", "-c", &pinned]).expect(0);
    let wrong = cert(&["issue", "not a name"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.said());
}

#[test]
fn a_self_signed_certificate_is_for_every_name_and_address_of_the_machine() {
    let orchestrator = Orchestrator::start_with(&[], &["--self-signed"]);
    let data_dir = orchestrator.data_dir();
    let shown =
        orchestrator.run(&["cert", "show", "--output", "json", "--data-dir", text(&data_dir)]).expect(0);
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut expected = vec!["localhost".to_owned(), "::1".to_owned(), hostname.trim().to_owned()];
    let addresses = Command::new("hostname").arg("-I").output();
    let addresses = addresses.map(|output| String::from_utf8(output.stdout).unwrap()).unwrap_or_default();
    expected.extend(addresses.split_whitespace().filter(|it| !it.starts_with("fe80")).map(str::to_owned));
    for name in expected {
        assert!(shown.contains(&format!("\"{name}\"")), "{name}: {shown}");
    }
}
