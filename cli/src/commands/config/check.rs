//! `skrei config validate` and `config edit`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;

use super::set::write;
use crate::{cli::Globals, config, error::Error, exit, terminal};

/// Says what is wrong with a configuration file, everything at once.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The file [default: `config.yaml` in the data directory]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Opens the configuration file in `$VISUAL` or `$EDITOR`, and takes what comes out of it only if it is right.
#[derive(Debug, Args)]
pub(crate) struct Edit {}

impl Validate {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let file = match self.file {
            Some(file) => file,
            None => config::file_to_change(&globals.arguments, globals.flags())?,
        };
        let settings = config::check_file(&file)?;
        let many = if settings == 1 { "" } else { "s" };
        terminal::data(&format!("OK: {} sets {settings} key{many}", file.display()))?;
        Ok(exit::SUCCESS)
    }
}

impl Edit {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let file = config::file_to_change(&globals.arguments, globals.flags())?;
        let before = std::fs::read_to_string(&file).unwrap_or_default();
        let unavailable = |error| Error::unavailable(format!("a draft cannot be made: {error}"));
        let draft = tempfile::Builder::new().prefix("skrei-config-").suffix(".yaml").tempfile();
        let draft = draft.map_err(unavailable)?.into_temp_path();
        std::fs::write(&draft, &before).map_err(unavailable)?;
        open(&draft)?;
        let after = std::fs::read_to_string(&draft).map_err(unavailable)?;
        if after == before {
            terminal::note("Nothing was changed.");
            return Ok(exit::SUCCESS);
        }
        if let Err(wrong) = config::check_file(&draft) {
            let kept = draft.keep().map_err(|error| unavailable(error.error))?;
            return Err(wrong.hint(format!(
                "`{}` was left as it was; your text is in {}",
                file.display(),
                kept.display()
            )));
        }
        write(&file, &after)?;
        terminal::note(&format!("Written to {}. Servers read it when they start.", file.display()));
        Ok(exit::SUCCESS)
    }
}

fn open(file: &Path) -> Result<(), Error> {
    let named =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    let editor = named.unwrap_or_else(|| "vi".to_owned());
    // Editors are commonly given with arguments: `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let ended = Command::new(program).args(words).arg(file).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Error::usage(format!("the editor `{editor}` ended with {status}; nothing was changed")))
        }
        Err(error) => Err(Error::usage(format!("the editor `{editor}` cannot be started: {error}"))
            .hint("name another with EDITOR=...")),
    }
}
