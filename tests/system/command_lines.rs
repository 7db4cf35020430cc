//! The very command lines of Bacalhau's documents on certificates (reference cli-config-behaviour 10), as they are typed. That
//! with a job whose engine is a container is in cli/tests/suite/refusals.rs, the script of the second document in
//! python_runner.rs, and certificates that are ordered in acme.rs.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command},
    time::Instant,
};

use tempfile::TempDir;

use super::harness::{Orchestrator, PATIENCE, Ran, free_port, skrei};

/// A machine on which somebody types.
struct Machine {
    directory: TempDir,
    api_port: u16,
    node_port: u16,
    child: Option<Child>,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, api_port: free_port(), node_port: free_port(), child: None }
    }

    /// A command line, with ports that no other test has.
    fn command(&self, line: &[&str]) -> Command {
        let mut command = skrei(line);
        command.current_dir(self.directory.path()).env("HOME", self.directory.path());
        command.env("SKREI_API_PORT", self.api_port.to_string());
        command.env("SKREI_ORCHESTRATOR_PORT", self.node_port.to_string());
        command.env("SKREI_ORCHESTRATOR_HOST", "127.0.0.1");
        command
    }

    /// Starts a server with a command line.
    fn serve(&mut self, mut command: Command) {
        let log = fs::File::create(self.log_file()).unwrap();
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    fn wait_for_port(&mut self, port: u16) {
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{ended:?}: {}", self.log());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    fn log_file(&self) -> std::path::PathBuf {
        self.directory.path().join("server.log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// `server.cert` and `server.key`, as the document's openssl makes them.
fn make_pair(directory: &Path) {
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let issued = rcgen::generate_simple_self_signed(names).unwrap();
    fs::write(directory.join("server.cert"), issued.cert.pem()).unwrap();
    fs::write(directory.join("server.key"), issued.signing_key.serialize_pem()).unwrap();
}

#[test]
fn a_requester_with_a_certificate_is_started_and_called_as_of_old() {
    let mut machine = Machine::new();
    make_pair(machine.directory.path());
    machine.serve(machine.command(&[
        "serve",
        "--node-type=requester",
        "--tlscert=server.cert",
        "--tlskey=server.key",
    ]));
    machine.wait_for_port(machine.api_port);
    assert!(
        machine.log().contains("--orchestrator"),
        "it is said how this is written now: {}",
        machine.log()
    );

    let plain = Ran::to_end(&mut machine.command(&["agent", "node"]));
    assert_ne!(plain.code, Some(0), "{}", plain.said());
    let flags = Ran::to_end(&mut machine.command(&["agent", "node", "--tls", "--cacert", "server.cert"]));
    assert_eq!(flags.code, Some(0), "{}", flags.said());
    let mut older = machine.command(&["agent", "node"]);
    older.env("BACALHAU_API_TLS", "1").env("BACALHAU_API_CACERT", "server.cert");
    let older = Ran::to_end(&mut older);
    assert_eq!(older.code, Some(0), "{}", older.said());
    let mut insecure = machine.command(&["agent", "node"]);
    insecure.env("BACALHAU_API_TLS", "1").env("BACALHAU_API_INSECURE", "1");
    let insecure = Ran::to_end(&mut insecure);
    assert_eq!(insecure.code, Some(0), "{}", insecure.said());
}

#[test]
fn the_same_by_older_variables_and_files() {
    for by_file in [false, true] {
        let mut machine = Machine::new();
        make_pair(machine.directory.path());
        let mut command = match by_file {
            true => {
                let config = "Node:\n  Type: [requester]\n  ServerAPI:\n    TLS: {ServerCertificate: server.cert, ServerKey: server.key}\n";
                fs::write(machine.directory.path().join("old.yaml"), config).unwrap();
                machine.command(&["serve", "-c", "old.yaml"])
            }
            false => machine.command(&["serve", "--orchestrator"]),
        };
        if !by_file {
            command.env("BACALHAU_TLS_CERT", "server.cert").env("BACALHAU_TLS_KEY", "server.key");
        }
        machine.serve(command);
        machine.wait_for_port(machine.api_port);
        let called = Ran::to_end(&mut machine.command(&["agent", "node", "--cacert", "server.cert"]));
        assert_eq!(called.code, Some(0), "by a file: {by_file}: {}\n{}", called.said(), machine.log());
    }
}

#[test]
fn an_orchestrator_is_started_with_what_the_second_document_says_about_its_web_page() {
    let mut machine = Machine::new();
    let line = ["serve", "--orchestrator", "-c", "WebUI.Enabled=true", "-c", "WebUI.Listen=:8483"];
    machine.serve(machine.command(&line));
    machine.wait_for_port(machine.api_port);
    Ran::to_end(&mut machine.command(&["agent", "node"])).expect(0);
    assert!(machine.log().contains("`WebUI.Enabled` means nothing here"), "{}", machine.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compute_node_is_started_with_every_spelling_of_a_setting_at_once() {
    let orchestrator = Orchestrator::start(&[]);
    let mut machine = Machine::new();
    let at = format!("Compute.Orchestrators=127.0.0.1:{}", orchestrator.node_port());
    let line = [
        "serve",
        "--compute",
        "-c",
        &at,
        "-c",
        "Compute.Enabled=true",
        "--config",
        "Compute.AllowListedLocalPaths=/etc/nginx/ssl:rw",
    ];
    machine.serve(machine.command(&line));
    orchestrator.wait_for_nodes(1).await;
}

#[test]
fn names_for_certificates_are_understood_wherever_they_were_written() {
    let machine = Machine::new();
    let names =
        |command: &mut Command| Ran::to_end(command.args(["config", "get", "API.TLS.AutoCert"])).stdout;
    let mut variable = machine.command(&[]);
    assert_eq!(names(variable.env("BACALHAU_AUTO_TLS", "a.example,b.example")).trim(), "a.example,b.example");
    fs::write(machine.directory.path().join("old.yaml"), "Node: {ServerAPI: {TLS: {AutoCert: a.example}}}\n")
        .unwrap();
    assert_eq!(names(&mut machine.command(&["-c", "old.yaml"])).trim(), "a.example");
}

#[test]
fn flags_that_are_gone_are_answered_with_what_to_write() {
    for (line, words) in [
        (&["serve", "--web-ui"][..], "no web page"),
        (&["serve", "--job-selection-probe-exec", "x"], "JobAdmissionControl.ProbeExec"),
        (&["serve", "--ipfs-connect=x"], "IPFS"),
        (&["devstack", "--compute-nodes", "3"], "--computes N"),
        (&["job", "run", "--group-events"], "leave it out"),
    ] {
        let ran = Ran::to_end(&mut skrei(line));
        assert!(ran.expect(2).contains(words), "{line:?}: {}", ran.said());
        assert!(ran.stderr.contains("hint:"), "{}", ran.said());
    }
}
