//! docs/guide/https.md as somebody follows it: each command that stands there is run, in its order.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::harness::{PATIENCE, Pebble, Ran, Rules, free_port, root};

/// What must stand on the page: how the documents that people come from have it.
const EXACT: &[&str] = &[
    "skrei serve --node-type=requester --tlscert=server.cert --tlskey=server.key",
    "export BACALHAU_TLS_CERT=server.cert BACALHAU_TLS_KEY=server.key",
    "export BACALHAU_AUTO_TLS=one.example.com,two.example.com",
    "--autocert one.example.com,two.example.com",
    "skrei devstack --tlscert=server.cert",
    "ServerCertificate: server.cert",
    "ServerKey: server.key",
    "CertFile: server.cert",
    "AutoCert: [one.example.com, two.example.com]",
    "export BACALHAU_API_CACERT=ca.pem",
    "export BACALHAU_API_TLS=1 BACALHAU_API_INSECURE=1",
];

/// Something of the page that is to be done.
#[derive(Debug)]
enum Step {
    /// A file with this name and content.
    File(String, String),
    /// A line for the shell, after these that set its environment.
    Line { before: String, line: String },
}

/// The code blocks of a page, in their order. A block of YAML says in its first line what the file is called.
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match language {
            "yaml" => {
                let name = block[0].strip_prefix("# ").expect("a file has a name");
                steps.push(Step::File(name.to_owned(), format!("{}\n", block.join("\n"))));
            }
            "sh" => {
                let mut before = String::new();
                for line in block {
                    if line.starts_with("export ") {
                        before.push_str(line);
                        before.push('\n');
                    } else {
                        steps.push(Step::Line { before: before.clone(), line: line.to_owned() });
                    }
                }
            }
            other => panic!("nobody runs a block of `{other}`"),
        }
    }
    steps
}

/// A machine of its own, as far as a page needs one.
struct Machine {
    home: tempfile::TempDir,
    port: u16,
    pebble: Option<Pebble>,
    server: Option<Child>,
}

impl Machine {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, port: free_port(), pebble: Pebble::start(Rules::default()), server: None }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The shell, where nothing but the ports is other than on the page.
    fn shell(&self, script: &str) -> Command {
        let mut shell = Command::new("sh");
        let binary = Path::new(env!("CARGO_BIN_EXE_skrei")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        shell.args(["-e", "-c", script]).current_dir(self.home.path()).env_clear().stdin(Stdio::null());
        shell.env("PATH", format!("{}:{path}", binary.display())).env("HOME", self.home.path());
        shell.env("SKREI_API_PORT", self.port.to_string());
        shell.env("SKREI_ORCHESTRATOR_PORT", free_port().to_string());
        if let Some(pebble) = &self.pebble {
            let authority: BTreeMap<&str, String> = BTreeMap::from([
                ("SKREI_API_TLS_AUTOCERTDIRECTORY", pebble.directory()),
                ("SKREI_API_TLS_AUTOCERTDIRECTORYCA", pebble.ca_file().display().to_string()),
                ("SKREI_API_TLS_AUTOCERTHTTPPORT", pebble.http_port.to_string()),
            ]);
            shell.envs(authority);
        }
        shell
    }

    fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// Starts a server in the place of the one before, and waits until it answers by HTTPS.
    fn serve(&mut self, before: &str, line: &str) {
        self.stop();
        let is_ordered =
            line.contains("--autocert") || line.contains("acme.yaml") || before.contains("AUTO_TLS");
        if is_ordered && self.pebble.is_none() {
            return;
        }
        let log = File::create(self.at("log")).unwrap();
        let script =
            format!("{before}exec {}", line.replace("--api-port 443", &format!("--api-port {}", self.port)));
        let server = self.shell(&script).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.server = Some(server);
        let (host, trusted) = match &self.pebble {
            Some(pebble) if is_ordered => ("one.example.com", pebble.root_file()),
            _ if line.contains("--self-signed") => ("localhost", self.at(".skrei/tls/ca.pem")),
            _ => ("localhost", self.at("authority.pem")),
        };
        let start = Instant::now();
        while !self.answers(host, &trusted) {
            let ended = self.server.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none() && start.elapsed() < PATIENCE,
                "{before}{line}: {ended:?}\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn answers(&self, host: &str, trusted: &Path) -> bool {
        let mut curl = Command::new("curl");
        curl.args(["-sf", "--resolve", &format!("{host}:{}:127.0.0.1", self.port), "--cacert"]).arg(trusted);
        curl.arg(format!("https://{host}:{}/api/v1/agent/alive", self.port));
        curl.output().expect("curl is installed").status.success()
    }

    fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn every_command_of_the_page_does_what_the_page_says() {
    let page = fs::read_to_string(root().join("docs/guide/https.md")).unwrap();
    for exact in EXACT {
        assert!(page.contains(exact), "the page no longer has `{exact}`");
    }
    let mut machine = Machine::new();
    // What a reader has already: a certificate and its key.
    let given = "skrei cert issue localhost 127.0.0.1 --cert server.cert --key server.key --data-dir elsewhere \
        && skrei cert export --data-dir elsewhere -o authority.pem";
    Ran::to_end(&mut machine.shell(given)).expect(0);
    let (mut servers, mut commands) = (0, 0);
    for step in steps(&page) {
        match step {
            Step::File(name, content) => fs::write(machine.at(&name), content).unwrap(),
            Step::Line { before, line }
                if line.starts_with("skrei serve") || line.starts_with("skrei devstack") =>
            {
                machine.serve(&before, &line);
                servers += 1;
            }
            Step::Line { before, line } => {
                let script = format!("{before}{line}").replace(":1234", &format!(":{}", machine.port));
                let ran = Ran::to_end(&mut machine.shell(&script));
                assert_eq!(ran.code, Some(0), "{before}{line}: {}\n{}", ran.said(), machine.log());
                commands += 1;
            }
        }
    }
    assert!(servers >= 11 && commands >= 12, "{servers} servers, {commands} commands");
    let made = |name: &str| fs::metadata(machine.at(name)).is_ok();
    assert!(made("node.example.com.pem") && made("anna-key.pem") && made("ca.pem"));
}
