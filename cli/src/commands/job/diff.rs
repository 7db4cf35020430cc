//! `skrei job diff`.

use clap::Args;

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit, job_file, secret,
    terminal::{self, style},
};

/// Show what submitting a job file would change of the stored job of its name.
#[derive(Debug, Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    file: job_file::Args,
    /// As `job run --seal-to-nodes` would submit it: without the orchestrator's defaults
    #[arg(long)]
    seal_to_nodes: bool,
}

impl Diff {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let checked = self.file.read()?.check()?;
        checked.warnings.iter().for_each(|warning| terminal::warn(warning));
        let client = client(globals)?;
        let compared = client.diff(&checked.manifest, self.seal_to_nodes).await?;
        terminal::warn_others(&checked.warnings, compared.warnings);
        let diff = compared.diff;
        if diff.is_empty() {
            terminal::note("Nothing would change.");
        }
        let style = style::stdout();
        for line in diff.lines() {
            let (sign, rest) = line.split_at_checked(1).unwrap_or((line, ""));
            let line = format!("{sign}{}", secret::shown(rest));
            terminal::data(&match sign {
                "+" => style.green(&line),
                "-" => style.red(&line),
                _ => line,
            })?;
        }
        Ok(exit::SUCCESS)
    }
}
