//! `skrei secret list`.

use clap::Args;

use super::Where;
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{self, format::ListFormat, table::Table, time},
};

/// All secrets of a namespace: who may have them, and when they were set. No value is shown, anywhere.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of every namespace
    #[arg(long, conflicts_with = "namespace")]
    all_namespaces: bool,
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let namespace = if self.all_namespaces { "*" } else { self.place.namespace.as_str() };
        let secrets = client(globals)?.secrets(namespace).await?;
        let mut table = Table::new(&["name", "namespace", "version", "fingerprint", "set", "jobs", "nodes"]);
        for secret in &secrets {
            let nodes = if secret.nodes.is_empty() { "any".to_owned() } else { secret.nodes.join(", ") };
            table.row([
                secret.name.as_str(),
                &secret.namespace,
                &secret.version.to_string(),
                &secret.fingerprint,
                &time::ago(secret.modify_time),
                &secret.jobs.join(", "),
                &nodes,
            ]);
        }
        if table.is_empty() {
            terminal::note("No secrets. Keep one with `skrei secret set NAME=@FILE --job JOB`.");
        }
        self.format.show(&table, &secrets)?;
        Ok(exit::SUCCESS)
    }
}
