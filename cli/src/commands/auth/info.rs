//! `skrei auth info` and `skrei auth whoami`.

use clap::Args;
use serde_json::json;
use skrei_access::Credential;

use crate::{
    cli::Globals,
    commands::{client, config},
    credentials,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// How the server asks who is calling, and what commands would show it; no secrets.
#[derive(Debug, Args)]
pub(crate) struct Info {
    #[command(flatten)]
    format: ItemFormat,
}

/// Who the server takes you for, and what you may do.
#[derive(Debug, Args)]
pub(crate) struct WhoAmI {
    #[command(flatten)]
    format: ItemFormat,
}

impl Info {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let config = config(globals)?;
        let shown = credentials::find(&config)?;
        let (kind, source) = match &shown {
            None => ("none", ""),
            Some((Credential::Password { .. }, source)) => ("password", source.as_str()),
            Some((Credential::Key(_), source)) => ("key", source.as_str()),
            Some((Credential::Token(_), source)) => ("token", source.as_str()),
        };
        let client = client(globals)?;
        let login = client.auth_config().await?.config;
        let info = json!({
            "Endpoint": client.endpoint(),
            "Shown": kind,
            "From": source,
            "Login": login,
        });
        terminal::data(&self.format.document_or_yaml(&info)?)?;
        Ok(exit::SUCCESS)
    }
}

impl WhoAmI {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let who = client(globals)?.who_am_i().await?;
        terminal::data(&self.format.document_or_yaml(&who)?)?;
        Ok(exit::SUCCESS)
    }
}
