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

/// What is shown; without an orchestrator that answers, the client alone, before the error that says why.
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
        let mut asked = Ok(());
        if !self.client {
            match server(globals).await {
                Ok(version) => {
                    lines.push_str(&format!("\nserver  {version}"));
                    versions.server = Some(version);
                }
                Err(error) => asked = Err(error),
            }
        }
        terminal::data(&self.format.document(&versions)?.unwrap_or(lines))?;
        asked.map(|()| exit::SUCCESS)
    }
}

async fn server(globals: &Globals) -> Result<String, Error> {
    let client = client(globals)?;
    let late = || {
        let message =
            format!("no answer from the orchestrator at {} within {ANSWER_MAX:?}", client.endpoint());
        Error::new(exit::UNREACHABLE, message)
    };
    let answer = tokio::time::timeout(ANSWER_MAX, client.version()).await.map_err(|_| late())?;
    Ok(answer?.git_version)
}
