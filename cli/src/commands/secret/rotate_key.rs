//! `skrei secret rotate-key`.

use clap::Args;

use crate::{cli::Globals, commands::client, error::Error, exit, terminal};

/// Lock everything the orchestrator keeps with a new key, while jobs run. Backups from before need the key file from
/// before.
#[derive(Debug, Args)]
pub(crate) struct RotateKey {}

impl RotateKey {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let rotated = client(globals)?.rotate_secret_key().await?;
        terminal::note(&format!(
            "Key {} is current now; secrets locked again with it: {}.",
            rotated.key, rotated.relocked
        ));
        Ok(exit::SUCCESS)
    }
}
