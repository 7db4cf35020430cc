//! `skrei job versions`.

use clap::Args;

use super::Which;
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{format::ListFormat, table::Table, time},
};

/// Every version of a job, the first one first.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    format: ListFormat,
}

impl Versions {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let versions = client.versions(&self.which.resolve(&client).await?).await?;
        let mut table = Table::new(&["version", "created", "id", "name", "type"]);
        for job in &versions {
            let (version, created) = (job.version.to_string(), time::date(job.modify_time));
            table.row(
                [&version, &created, &job.id, &job.manifest.name, &job.manifest.kind].map(String::as_str),
            );
        }
        self.format.show(&table, &versions)?;
        Ok(exit::SUCCESS)
    }
}
