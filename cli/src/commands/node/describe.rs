//! `skrei node describe`.

use clap::Args;

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// Everything known of one node.
#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// Its id, or the beginning of it
    #[arg(value_name = "NODE")]
    node: String,
    #[command(flatten)]
    format: ItemFormat,
}

impl Describe {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let node = client(globals)?.node(&self.node).await?;
        terminal::data(&self.format.document_or_yaml(&node)?)?;
        Ok(exit::SUCCESS)
    }
}
