//! `skrei wasm validate`.

use std::path::PathBuf;

use clap::Args;
use skrei_job::Manifest;

use crate::{error::Error, exit, job_file::modules, terminal};

/// Checks that a module can run: that it is WebAssembly, imports only what there is, and can be started where it says.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The module, WebAssembly in binary or text format
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The exported function to start at
    #[arg(long, value_name = "NAME", default_value = "_start")]
    entry_point: String,
}

impl Validate {
    pub(super) fn run(self) -> Result<u8, Error> {
        let shown = self.file.display();
        let content = std::fs::read(&self.file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::not_found(format!("module `{shown}` does not exist")),
            _ => Error::not_found(format!("module `{shown}` cannot be read: {error}")),
        })?;
        modules::check(&content, Some(&self.entry_point), &[], &Manifest::default()).map_err(
            |(message, hint)| {
                let refused = Error::refused(format!("`{shown}`: {message}"));
                match hint {
                    Some(hint) => refused.hint(hint),
                    None => refused,
                }
            },
        )?;
        terminal::data("OK")?;
        Ok(exit::SUCCESS)
    }
}
