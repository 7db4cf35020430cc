//! A whole fleet in one process, as `devstack` starts it.

use std::process::{Child, Command};

use skrei_protocol::client::Client;
use tempfile::TempDir;

use super::{
    free_port,
    server::{kill, spawn},
    skrei, wait_for_port,
};

/// A devstack on free ports, with its data and its log in a directory of its own.
pub(crate) struct Devstack {
    directory: TempDir,
    api_port: u16,
    child: Option<Child>,
}

impl Devstack {
    /// Starts one of so many nodes with these `-c` settings; its API answers when this returns.
    pub(crate) fn start(nodes: usize, settings: &[String]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let api_port = free_port();
        let mut command = skrei(["devstack", "--computes", &nodes.to_string(), "--stack-repo"]);
        command.arg(directory.path().join("data")).args(["--api-port", &api_port.to_string()]);
        command.args(["-c", &format!("Orchestrator.Port={}", free_port())]);
        command.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let log = directory.path().join("log");
        let child = Some(spawn(&mut command, &log));
        let devstack = Self { directory, api_port, child };
        wait_for_port(api_port, || devstack.log());
        devstack
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.api_port)).expect("a client")
    }

    /// A command of the binary that talks to it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = skrei(arguments);
        command.args(["--api-port", &self.api_port.to_string()]);
        command
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Devstack {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}
