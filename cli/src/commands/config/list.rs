//! `skrei config list`.

use clap::Args;

use crate::{cli::Globals, config, error::Error, exit, terminal::table::Table};

/// Every key, its value and where that came from. Secrets are masked.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Also what each key is for
    #[arg(long)]
    wide: bool,
}

impl List {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let (_, layers) = config::load(&globals.arguments, globals.flags())?;
        let columns = ["key", "value", "from", "meaning"];
        let shown = if self.wide { columns.len() } else { columns.len() - 1 };
        let mut table = Table::new(&columns[..shown]);
        for (key, value, origin) in layers.shown() {
            table.row([key.name, value.as_str(), &origin.to_string(), key.doc].into_iter().take(shown));
        }
        table.show()?;
        Ok(exit::SUCCESS)
    }
}
