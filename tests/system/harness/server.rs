//! Servers as processes, on free ports, with what they log kept for messages.

use std::{
    fs::File,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use skrei_protocol::{api::node::NodeState, client::Client};
use tempfile::TempDir;

use super::{PATIENCE, Ran, skrei};

/// An orchestrator that can be killed and started again on the same ports and data.
pub(crate) struct Orchestrator {
    directory: TempDir,
    api_port: u16,
    node_port: u16,
    settings: Vec<String>,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Orchestrator {
    /// Starts one with these `-c` settings; its API answers when this returns.
    pub(crate) fn start(settings: &[&str]) -> Self {
        Self::start_with(settings, &[])
    }

    /// Starts one with further arguments of `serve`.
    pub(crate) fn start_with(settings: &[&str], arguments: &[&str]) -> Self {
        Self::start_on(free_port(), settings, arguments)
    }

    /// Starts one with its API on this port.
    pub(crate) fn start_on(api_port: u16, settings: &[&str], arguments: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut orchestrator = Self {
            directory: tempfile::tempdir().expect("a directory"),
            api_port,
            node_port: free_port(),
            settings: owned(settings),
            arguments: owned(arguments),
            child: None,
        };
        orchestrator.start_again();
        orchestrator
    }

    /// Starts it after [`Orchestrator::kill`].
    pub(crate) fn start_again(&mut self) {
        let mut command = skrei(["serve", "--orchestrator", "--name", "orchestrator"]);
        command.args(["--api-port", &self.api_port.to_string(), "--data-dir"]).arg(self.data_dir());
        command.args(["-c", &format!("Orchestrator.Port={}", self.node_port)]);
        command.args(["-c", "Orchestrator.Host=127.0.0.1"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.args(&self.arguments);
        self.child = Some(spawn(&mut command, &self.directory.path().join("log")));
        wait_for_port(self.api_port, || self.log());
    }

    /// SIGKILL: no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        kill(&mut self.child);
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Its data and its log.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The process, for looking at it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running orchestrator").id()
    }

    pub(crate) fn api_port(&self) -> u16 {
        self.api_port
    }

    pub(crate) fn node_port(&self) -> u16 {
        self.node_port
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.api_port)).expect("a client")
    }

    /// A command of the binary that talks to this orchestrator.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = skrei(arguments);
        command.args(["--api-port", &self.api_port.to_string()]);
        command
    }

    /// Runs such a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::to_end(&mut self.command(arguments))
    }

    /// Waits until so many nodes are connected.
    pub(crate) async fn wait_for_nodes(&self, count: usize) {
        let connected = |node: &&NodeState| node.connection == "CONNECTED";
        let start = Instant::now();
        loop {
            let nodes = self.client().nodes("").await.expect("the nodes");
            if nodes.iter().filter(connected).count() == count {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{count} nodes did not connect:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Orchestrator {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A compute node with a directory that jobs see as `/etc/nginx/ssl`.
pub(crate) struct Node {
    directory: TempDir,
    name: String,
    node_port: u16,
    /// The allow-list.
    entries: Vec<String>,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Node {
    /// Starts one that lets jobs mount its directory in this mode.
    pub(crate) fn start(orchestrator: &Orchestrator, name: &str, mode: &'static str) -> Self {
        Self::start_with(orchestrator, name, mode, &[])
    }

    /// Starts one with these `-c` settings.
    pub(crate) fn configured(orchestrator: &Orchestrator, name: &str, settings: &[&str]) -> Self {
        Self::start_with(orchestrator, name, "ro", settings)
    }

    /// Starts one with an allow-list of its own, which may name what was made in the directory that it has.
    pub(crate) fn start_allowing(
        orchestrator: &Orchestrator,
        name: &str,
        entries: impl FnOnce(&Path) -> Vec<String>,
    ) -> Self {
        Self::start_on(orchestrator, name, entries, &[])
    }

    /// Starts one that lets jobs mount its directory in this mode, with these `-c` settings.
    pub(crate) fn start_with(
        orchestrator: &Orchestrator,
        name: &str,
        mode: &'static str,
        settings: &[&str],
    ) -> Self {
        let entries = |directory: &Path| {
            let served = directory.join("ssl");
            std::fs::create_dir(&served).expect("a directory");
            vec![format!("{}:/etc/nginx/ssl:{mode}", served.display())]
        };
        Self::start_on(orchestrator, name, entries, settings)
    }

    /// Starts one with an allow-list of its own and these `-c` settings.
    pub(crate) fn start_on(
        orchestrator: &Orchestrator,
        name: &str,
        entries: impl FnOnce(&Path) -> Vec<String>,
        settings: &[&str],
    ) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let entries = entries(directory.path());
        let mut node = Self {
            directory,
            name: name.to_owned(),
            node_port: orchestrator.node_port(),
            entries,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            child: None,
        };
        node.start_again();
        node
    }

    /// Starts it after [`Node::kill`].
    pub(crate) fn start_again(&mut self) {
        let mut command = skrei(["serve", "--compute", "--name", &self.name, "--data-dir"]);
        command.arg(self.directory.path().join("data"));
        command.args(["-c", &format!("Compute.Orchestrators=127.0.0.1:{}", self.node_port)]);
        command.args(["--config", &format!("Compute.AllowListedLocalPaths={}", self.entries.join(","))]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.child = Some(spawn(&mut command, &self.directory.path().join("log")));
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        kill(&mut self.child);
    }

    /// The process, for looking at it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running node").id()
    }

    /// Something in the directory that it has.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its data, its log, and what jobs see.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The directory jobs see as `/etc/nginx/ssl`.
    pub(crate) fn served(&self) -> PathBuf {
        self.directory.path().join("ssl")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn spawn(command: &mut Command, log: &Path) -> Child {
    let log = File::options().create(true).append(true).open(log).expect("a log file");
    command.stdout(log.try_clone().expect("a log file")).stderr(log).spawn().expect("the binary starts")
}

pub(super) fn kill(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

pub(crate) fn wait_for_port(port: u16, log: impl Fn() -> String) {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(start.elapsed() < PATIENCE, "nothing listens on port {port}:\n{}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
