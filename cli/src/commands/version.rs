//! `skrei version`.

use std::time::Duration;

use clap::Args;
use serde::Serialize;
use skrei_protocol::version::VERSION;

use super::client;
use crate::{
    cli::Globals,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// How long the orchestrator gets to answer: this command is about this program first.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Versions of this program and of the orchestrator.
#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Only of this program
    #[arg(long)]
    client: bool,
    #[command(flatten)]
    format: ItemFormat,
}

/// What is shown; without an orchestrator that answers, the client alone.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    client: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
}

impl Version {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let mut versions = Versions { client: format!("v{VERSION}"), server: None };
        let mut lines = format!("client  {}", versions.client);
        if !self.client {
            let client = client(globals)?;
            if let Ok(Ok(server)) = tokio::time::timeout(ANSWER_MAX, client.version()).await {
                versions.server = Some(server.git_version);
            }
            let nobody = || format!("no answer at {}", client.endpoint());
            lines.push_str(&format!("\nserver  {}", versions.server.clone().unwrap_or_else(nobody)));
        }
        terminal::data(&self.format.document(&versions)?.unwrap_or(lines))?;
        Ok(exit::SUCCESS)
    }
}
