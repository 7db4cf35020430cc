//! `skrei backup`.

use std::{fs, io::Write, path::PathBuf};

use clap::Args;
use serde_json::json;
use skrei_requester::BackupError;

use super::config;
use crate::{
    cli::Globals,
    error::Error,
    exit,
    terminal::{self, format::ItemFormat},
};

/// Copy an orchestrator's store while it is at work.
#[derive(Debug, Args)]
#[command(
    after_help = "It runs on the orchestrator's machine and reads its DataDir; the orchestrator need not stop, nor run. The copy \
    is checked before it is put in its place, and nothing is written over.\n\nArtifacts are files that never change: they are \
    listed in FILE.artifacts, one a line, for `tar -T` or `rsync --files-from`."
)]
pub(crate) struct Backup {
    /// Where the copy goes
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: ItemFormat,
}

impl Backup {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let data_dir = config(globals)?.data_dir.join("orchestrator");
        let backup = skrei_requester::backup(&data_dir, &self.file).map_err(|error| match error {
            BackupError::NoStore { .. } => Error::not_found(error.to_string())
                .hint("say where the orchestrator keeps its state with --data-dir"),
            error => Error::unavailable(error.to_string()),
        })?;
        let mut list = self.file.clone().into_os_string();
        list.push(".artifacts");
        let list = PathBuf::from(list);
        let directory = data_dir.join("artifacts");
        let lines: String = backup
            .artifacts
            .iter()
            .map(|(name, _)| format!("{}\n", directory.join(name).display()))
            .collect();
        write_new(&list, &lines).map_err(|error| {
            Error::unavailable(format!("`{}` cannot be written: {error}", list.display()))
        })?;
        let bytes: u64 = backup.artifacts.iter().map(|(_, bytes)| bytes).sum();
        let document = json!({
            "File": self.file, "Bytes": backup.bytes,
            "Artifacts": {"List": list, "Count": backup.artifacts.len(), "Bytes": bytes},
        });
        let line = || {
            format!(
                "{}: {} bytes, checked\n{}: {} artifacts of {bytes} bytes, to be copied as files",
                self.file.display(),
                backup.bytes,
                list.display(),
                backup.artifacts.len(),
            )
        };
        terminal::data(&self.format.document(&document)?.unwrap_or_else(line))?;
        Ok(exit::SUCCESS)
    }
}

fn write_new(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
