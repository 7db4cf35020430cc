//! `skrei completion` and `skrei man`: what packages install beside the program.

use std::{io, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{
    cli::Cli,
    error::Error,
    exit,
    terminal::{self},
};

/// The program's name on the command line.
const PROGRAM: &str = "skrei";

/// A script that completes commands, flags and words in a shell.
#[derive(Debug, Args)]
#[command(after_help = "For this session: source <(skrei completion bash)\n\
    For all of them:  skrei completion bash > ~/.local/share/bash-completion/completions/skrei")]
pub(crate) struct Completion {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    pub(super) fn run(self) -> Result<u8, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), PROGRAM, &mut script);
        terminal::data(&String::from_utf8_lossy(&script))?;
        Ok(exit::SUCCESS)
    }
}

/// Manual pages, one for each command.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Where to write them; made if need be
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Man {
    pub(super) fn run(self) -> Result<u8, Error> {
        let shown = self.directory.display();
        let cannot = |error: io::Error| {
            Error::unavailable(format!("manual pages cannot be written to `{shown}`: {error}"))
        };
        std::fs::create_dir_all(&self.directory).map_err(cannot)?;
        clap_mangen::generate_to(Cli::command(), &self.directory).map_err(cannot)?;
        Ok(exit::SUCCESS)
    }
}
