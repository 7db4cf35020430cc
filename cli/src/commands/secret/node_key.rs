//! `skrei secret node-key`.

use clap::Args;
use skrei_vault::SealingKey;

use crate::{cli::Globals, commands::config, error::Error, exit, terminal};

/// Print the key that secrets for the node of this machine are sealed to, for `--node-key`.
#[derive(Debug, Args)]
pub(crate) struct NodeKey {}

impl NodeKey {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let path = config(globals)?.data_dir.join("compute/sealing-key");
        let key = SealingKey::read(&path).map_err(|error| Error::unavailable(error.to_string()))?;
        let key = key.ok_or_else(|| {
            Error::not_found(format!("there is no node here: `{}` does not exist", path.display()))
                .hint("--data-dir is that of the node, and the node has to have run once")
        })?;
        terminal::data(&key.recipient().to_string())?;
        Ok(exit::SUCCESS)
    }
}
