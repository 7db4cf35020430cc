//! `skrei config list`.

use clap::Args;

use crate::{
    cli::Globals,
    config,
    error::Error,
    exit,
    terminal::{format::ListFormat, table::Table},
};

/// Every key, its value and where that came from. Secrets are masked.
#[derive(Debug, Args)]
#[command(
    after_help = "With --output yaml or json: the configuration that holds, in the shape of a configuration file."
)]
pub(crate) struct List {
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let (_, layers) = config::load(&globals.arguments, globals.flags())?;
        let columns = ["key", "value", "from", "meaning"];
        // Meanings are long; who wants everything asks for it.
        let shown = if self.format.wide { columns.len() } else { columns.len() - 1 };
        let mut table = Table::new(&columns[..shown]);
        for (key, value, origin) in layers.shown() {
            table.row([key.name, value.as_str(), &origin.to_string(), key.doc].into_iter().take(shown));
        }
        self.format.show(&table, &layers.to_json())?;
        Ok(exit::SUCCESS)
    }
}
