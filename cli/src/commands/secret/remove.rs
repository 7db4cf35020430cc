//! `skrei secret remove`.

use clap::Args;
use skrei_job::secret::{Name, NotAName};

use super::Where;
use crate::{cli::Globals, commands::client, error::Error, exit, terminal};

/// Remove a secret; no job gets it any more. What guests have of it already stays with them.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    place: Where,
}

impl Remove {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let name: Name = self.name.parse().map_err(|error: NotAName| Error::usage(error.to_string()))?;
        client(globals)?.remove_secret(&self.place.namespace, &name).await?;
        terminal::note(&format!("Secret {name} is removed."));
        Ok(exit::SUCCESS)
    }
}
