//! `skrei version`.

use std::time::Duration;

use clap::Args;
use skrei_protocol::version::VERSION;

use super::client;
use crate::{cli::Globals, error::Error, exit, terminal};

/// How long the orchestrator gets to answer: this command is about this program first.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Versions of this program and of the orchestrator.
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Only of this program
    #[arg(long)]
    client: bool,
}

impl Version {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        terminal::data(&format!("client  v{VERSION}"))?;
        if !self.client {
            let client = client(globals)?;
            let server = match tokio::time::timeout(ANSWER_MAX, client.version()).await {
                Ok(Ok(server)) => server.git_version,
                Ok(Err(_)) | Err(_) => format!("no answer at {}", client.endpoint()),
            };
            terminal::data(&format!("server  {server}"))?;
        }
        Ok(exit::SUCCESS)
    }
}
