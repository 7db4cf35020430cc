//! A real ACME server: Let's Encrypt's `pebble`, in strict mode and refusing a share of nonces, with a name server that
//! knows every name as this machine.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    process::{Child, Command},
    time::SystemTime,
};

use skrei_tls::Authority;
use tempfile::TempDir;

use super::server::{free_port, kill, spawn, wait_for_port};

/// What the authority asks for, and gives.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    /// Lifetime of certificates in seconds; 0 for its own.
    pub(crate) lifetime: u64,
    /// Only with an external account.
    pub(crate) external_account: bool,
}

/// An external account that it knows, `KID:KEY`.
pub(crate) const EXTERNAL_ACCOUNT: &str =
    "kid-1:zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";

/// The server, which can be killed and started again; then it knows nothing of before.
pub(crate) struct Pebble {
    directory: TempDir,
    port: u16,
    management: u16,
    names: u16,
    /// Where it looks for HTTP-01, in the place of 80.
    pub(crate) http_port: u16,
    /// Where it looks for TLS-ALPN-01, in the place of 443.
    pub(crate) tls_port: u16,
    children: [Option<Child>; 2],
}

impl Pebble {
    /// None, said clearly, where it is not installed and cannot be.
    #[expect(clippy::print_stderr, reason = "whoever runs the tests is to see what was not tested")]
    pub(crate) fn start(rules: Rules) -> Option<Self> {
        if !is_there() {
            eprintln!("SKIPPED: no ACME server to test against: `apt-get install pebble` did not give one");
            return None;
        }
        let directory = tempfile::tempdir().expect("a directory");
        let authority = Authority::open(directory.path().join("ca")).expect("an authority");
        let names = BTreeSet::from(["localhost".to_owned(), "127.0.0.1".to_owned()]);
        authority.provide(&names, SystemTime::now()).expect("a certificate");
        let [port, management, names, http_port, tls_port] = [(); 5].map(|()| free_port());
        let files = authority.server_files();
        let config = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": files.certificate,
            "privateKey": files.key,
            "httpPort": http_port,
            "tlsPort": tls_port,
            "externalAccountBindingRequired": rules.external_account,
            "externalAccountMACKeys": {"kid-1": EXTERNAL_ACCOUNT.split_once(':').expect("a key").1},
            "certificateValidityPeriod": rules.lifetime,
        }});
        fs::write(directory.path().join("config.json"), config.to_string()).expect("a file");
        let mut pebble =
            Self { directory, port, management, names, http_port, tls_port, children: [None, None] };
        pebble.start_again();
        Some(pebble)
    }

    /// Starts it, as somebody who never ran.
    pub(crate) fn start_again(&mut self) {
        let log = self.directory.path().join("log");
        let mut names = Command::new("pebble-challtestsrv");
        names.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", ""]);
        names.args(["-tlsalpn01", "", "-management", &format!("127.0.0.1:{}", free_port())]);
        names.args(["-dns01", &format!("127.0.0.1:{}", self.names)]);
        let mut pebble = Command::new("pebble");
        pebble.args(["-strict", "-dnsserver", &format!("127.0.0.1:{}", self.names), "-config"]);
        pebble.arg(self.directory.path().join("config.json"));
        pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "10");
        self.children = [Some(spawn(&mut names, &log)), Some(spawn(&mut pebble, &log))];
        for port in [self.names, self.port, self.management] {
            wait_for_port(port, || self.log());
        }
    }

    pub(crate) fn kill(&mut self) {
        self.children.iter_mut().for_each(kill);
    }

    /// The URL of its directory.
    pub(crate) fn directory(&self) -> String {
        format!("https://localhost:{}/dir", self.port)
    }

    /// Who vouches for its directory.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca/ca.pem")
    }

    /// A file with the root of the certificates that it issues.
    pub(crate) fn root_file(&self) -> PathBuf {
        let file = self.directory.path().join("root.pem");
        let url = format!("https://localhost:{}/roots/0", self.management);
        let mut curl = Command::new("curl");
        curl.args(["-sf", &url, "-o"]).arg(&file).arg("--cacert").arg(self.ca_file());
        assert!(curl.status().expect("curl is installed").success(), "{}", self.log());
        file
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Installs it if need be, where that is to be had.
fn is_there() -> bool {
    let is_installed = || {
        ["pebble", "pebble-challtestsrv"].iter().all(|program| {
            // Both end at once when asked for help.
            Command::new(program).arg("-h").output().is_ok()
        })
    };
    let install = || Command::new("apt-get").args(["install", "-y", "pebble"]).output();
    is_installed() || (install().is_ok_and(|installed| installed.status.success()) && is_installed())
}
