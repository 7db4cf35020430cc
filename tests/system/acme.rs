//! Certificates by ACME, from a real authority's software: Debian's `pebble`, in strict mode.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use serde_json::json;
use skrei_protocol::client::Client;
use skrei_tls::{Authority, Trust};

use super::harness::{Orchestrator, PATIENCE};

/// Programs of the authority, stopped when dropped.
struct Pebble {
    directory: tempfile::TempDir,
    port: u16,
    running: Vec<Child>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Whether the programs are there, or could be installed.
fn is_installed() -> bool {
    let there =
        || Path::new("/usr/bin/pebble").exists() && Path::new("/usr/bin/pebble-challtestsrv").exists();
    let apt = || Command::new("apt-get").args(["install", "-y", "pebble"]).stdin(Stdio::null()).output();
    there() || (apt().is_ok() && there())
}

impl Pebble {
    /// An authority that validates names at this port of this machine, whatever they are.
    fn start(tls_port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let own = Authority::open(directory.path().join("own")).unwrap();
        own.provide(&BTreeSet::from(["localhost".to_owned()]), SystemTime::now()).unwrap();
        let (port, management, dns, control) = (free_port(), free_port(), free_port(), free_port());
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own.server_files().certificate,
            "privateKey": own.server_files().key,
            "httpPort": free_port(),
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
        }});
        let file = directory.path().join("config.json");
        fs::write(&file, config.to_string()).unwrap();
        let log = File::create(directory.path().join("log")).unwrap();
        let names = Command::new("/usr/bin/pebble-challtestsrv")
            .args([
                "-defaultIPv4",
                "127.0.0.1",
                "-defaultIPv6",
                "",
                "-http01",
                "",
                "-https01",
                "",
                "-tlsalpn01",
                "",
            ])
            .args(["-dns01", &format!("127.0.0.1:{dns}"), "-management", &format!("127.0.0.1:{control}")])
            .stdout(log.try_clone().unwrap())
            .stderr(log.try_clone().unwrap())
            .spawn();
        let pebble = Command::new("/usr/bin/pebble")
            .args(["-strict", "-dnsserver", &format!("127.0.0.1:{dns}"), "-config"])
            .arg(&file)
            .env("PEBBLE_VA_NOSLEEP", "1")
            // The client begins a whole order anew after a nonce that is rejected; with one in ten, that takes minutes.
            .env("PEBBLE_WFE_NONCEREJECT", "0")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let pebble = Self { directory, port, running: vec![names.unwrap(), pebble.unwrap()] };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < PATIENCE, "pebble does not listen: {}", pebble.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        pebble
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Who vouches for the authority's own server.
    fn ca(&self) -> PathBuf {
        self.directory.path().join("own/ca.pem")
    }
}

/// Waits until the server has a certificate; its fingerprint must be trusted from then on.
async fn served(orchestrator: &Orchestrator, pebble: &Pebble) {
    let endpoint = format!("https://127.0.0.1:{}", orchestrator.api_port());
    let trust = Trust { insecure: true, ..Trust::default() };
    let start = Instant::now();
    while Client::trusting(&endpoint, &trust).unwrap().alive().await.is_err() {
        assert!(start.elapsed() < PATIENCE, "{}\n{}", orchestrator.log(), pebble.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_several_names_is_ordered_once_and_kept_over_restarts() {
    if !is_installed() {
        return eprintln!("SKIPPED: `pebble` (Debian package) is not there and cannot be installed");
    }
    let api_port = free_port();
    let pebble = Pebble::start(api_port);
    let settings = [
        "API.TLS.AutoCert=one.example.com,two.example.com".to_owned(),
        format!("API.TLS.AutoCertDirectory=https://localhost:{}/dir", pebble.port),
        format!("API.TLS.AutoCertDirectoryCA={}", pebble.ca().display()),
        "API.TLS.AutoCertEmail=ops@example.com".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let mut orchestrator = Orchestrator::start_on(api_port, &settings, &[]);
    assert!(orchestrator.log().contains("waiting for a certificate for one.example.com, two.example.com"));
    served(&orchestrator, &pebble).await;
    let cache = orchestrator.data_dir().join("autocert-cache");
    assert_eq!(fs::metadata(&cache).unwrap().permissions().mode() & 0o777, 0o700);
    let start = Instant::now();
    while fs::read_dir(&cache).unwrap().count() < 2 {
        assert!(start.elapsed() < PATIENCE, "account and certificate are kept: {}", orchestrator.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let orders = || pebble.log().matches("/order-plz").count();
    let before = orders();
    assert!(before > 0, "{}", pebble.log());
    for _ in 0..3 {
        orchestrator.kill();
        orchestrator.start_again();
        served(&orchestrator, &pebble).await;
    }
    assert!(orchestrator.log().contains("from the cache"), "{}", orchestrator.log());
    assert_eq!(orders(), before, "no restart asks for another");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_not_believed_or_not_there_is_said_so_and_tried_again() {
    if !is_installed() {
        return eprintln!("SKIPPED: `pebble` (Debian package) is not there and cannot be installed");
    }
    let pebble = Pebble::start(free_port());
    for directory in [format!("https://localhost:{}/dir", pebble.port), "https://localhost:1/dir".to_owned()]
    {
        let directory = format!("API.TLS.AutoCertDirectory={directory}");
        let orchestrator = Orchestrator::start_with(&["API.TLS.AutoCert=one.example.com", &directory], &[]);
        let start = Instant::now();
        while !orchestrator.log().contains("no certificate for one.example.com") {
            assert!(start.elapsed() < PATIENCE, "{}", orchestrator.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
