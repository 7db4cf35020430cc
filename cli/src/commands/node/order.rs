//! `skrei node approve|reject|delete`: who belongs to the fleet.

use clap::Args;

use crate::{cli::Globals, commands::client, error::Error, exit, terminal};

/// Of which node.
#[derive(Debug, Args)]
pub(crate) struct Order {
    /// Its id, or the beginning of it
    #[arg(value_name = "NODE")]
    node: String,
    /// Why, for the orchestrator's log
    #[arg(short, long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    message: String,
}

impl Order {
    /// Has the orchestrator do this with the node.
    pub(super) async fn run(self, action: &str, globals: &Globals) -> Result<u8, Error> {
        client(globals)?.order(&self.node, action, &self.message).await?;
        terminal::data("Ok")?;
        Ok(exit::SUCCESS)
    }
}
