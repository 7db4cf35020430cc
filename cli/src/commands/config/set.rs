//! `skrei config set` and `config unset`.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::Globals,
    config::{
        self,
        edit::{self, Setting, Unchangeable},
        key::{self, Key},
    },
    error::Error,
    exit, terminal,
};

/// Writes a key's value into a configuration file, and leaves the rest of the file as it is.
#[derive(Debug, Args)]
#[command(
    after_help = "The file is `config.yaml` in the data directory, or the one given with -c FILE.yaml."
)]
pub(crate) struct Set {
    /// `KEY=VALUE`; several are set together or not at all
    #[arg(value_name = "KEY=VALUE", required = true)]
    settings: Vec<String>,
}

/// Takes a key out of a configuration file; its default counts again.
#[derive(Debug, Args)]
pub(crate) struct Unset {
    /// The key
    #[arg(value_name = "KEY")]
    key: String,
}

impl Set {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let settings =
            self.settings().into_iter().map(|text| setting(&text)).collect::<Result<Vec<_>, _>>()?;
        change(globals, |path, text| {
            settings.iter().try_fold(text, |text, setting| edit::with(path, &text, setting))
        })
    }

    /// `KEY VALUE`, as older versions of Bacalhau had it, is one setting.
    fn settings(self) -> Vec<String> {
        match self.settings.as_slice() {
            [name, value] if key::find(name).is_some() && !value.contains('=') => {
                terminal::warn(&format!("write `{name}={value}`, with `=` and without a space"));
                vec![format!("{name}={value}")]
            }
            _ => self.settings,
        }
    }
}

impl Unset {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let key = known(&self.key)?;
        change(globals, |path, text| edit::without(path, &text, key))
    }
}

/// The key of this name.
pub(super) fn known(name: &str) -> Result<&'static Key, Error> {
    key::find(name)
        .ok_or_else(|| Error::usage(format!("`{name}` is not a configuration key")).hint(key::hint(name)))
}

fn setting(text: &str) -> Result<Setting, Error> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Error::usage(format!("`{text}` has no value")).hint(format!("write `{text}=VALUE`")));
    };
    let key = known(name.trim())?;
    Setting::parse(key, value).map_err(|wrong| Error::usage(format!("{}: {wrong}", key.name)))
}

fn change(
    globals: &Globals,
    edit: impl FnOnce(&str, String) -> Result<String, Unchangeable>,
) -> Result<u8, Error> {
    let path = config::file_to_change(&globals.arguments, globals.flags())?;
    let shown = path.display().to_string();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Error::usage(format!("`{shown}` cannot be read: {error}"))),
    };
    let changed = edit(&shown, text.clone()).map_err(|unchangeable| match unchangeable {
        Unchangeable::Wrong(problems) => Error::usage(problems),
        Unchangeable::Form => {
            Error::usage(format!("`{shown}` is written in a form that cannot be changed line by line"))
                .hint("change it with `skrei config edit`")
        }
    })?;
    if changed != text {
        write(&path, &changed)?;
    }
    terminal::note(&format!("Written to {shown}. Servers read it when they start."));
    Ok(exit::SUCCESS)
}

/// Replaces a file in one step. It may hold a token, so nobody else reads it.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let cannot = |error: std::io::Error| {
        Error::unavailable(format!("`{}` cannot be written: {error}", path.display()))
    };
    // What a symbolic link points to is replaced, not the link.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().map_or_else(|| PathBuf::from("."), Path::to_owned);
    std::fs::create_dir_all(&directory).map_err(cannot)?;
    let mut file = tempfile::NamedTempFile::new_in(&directory).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)?;
    if let Ok(before) = std::fs::metadata(path) {
        file.as_file().set_permissions(before.permissions()).map_err(cannot)?;
    }
    file.as_file().sync_all().map_err(cannot)?;
    file.persist(path).map_err(|error| cannot(error.error))?;
    Ok(())
}
