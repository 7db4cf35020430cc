//! Profiles: where a server is, whom to trust there, and what to show it, under one name.
//!
//! A profile is a configuration file of its own, below the data directory, that only holds keys for commands.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{
    file,
    key::{self, Key},
    value::Value,
};
use crate::{error::Error, logins::write_private};

/// Sections and keys that a profile may hold.
pub(super) const KEYS: &[&str] = &[
    "API.Host",
    "API.Port",
    "API.Key",
    "API.Username",
    "API.Password",
    "API.TLS.UseTLS",
    "API.TLS.CAFile",
    "API.TLS.Fingerprint",
    "API.TLS.Insecure",
];

/// Holds the name of the selected profile.
const SELECTED: &str = "selected";

/// Longest name.
const NAME_MAX_CHARS: usize = 64;

/// Which profile counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// None: a server is configured, or one has been named otherwise.
    #[default]
    None,
    /// The one of `SKREI_PROFILE`, or else the selected one, if any.
    Usual,
    /// The one of `--profile`.
    Named(String),
}

/// The profiles of a data directory.
#[derive(Clone, Debug)]
pub(crate) struct Profiles(PathBuf);

/// One profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// Its name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// For people.
    pub(crate) description: String,
    /// What it sets.
    pub(crate) values: Vec<(&'static Key, Value)>,
}

impl Profiles {
    /// Those below a data directory.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self(data_dir.join("profiles"))
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// There is none, or it is wrong.
    pub(crate) fn get(&self, name: &str) -> Result<Profile, Error> {
        let path = self.path(name)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::not_found(format!("there is no profile `{name}`"))
                    .hint("`skrei profile list` shows them; `skrei profile save` makes one"));
            }
            Err(error) => {
                return Err(Error::unavailable(format!("`{}` cannot be read: {error}", path.display())));
            }
        };
        let content = file::parse(&path.display().to_string(), &text).map_err(Error::usage)?;
        if let Some((key, _)) = content.values.iter().find(|(key, _)| !KEYS.contains(&key.name)) {
            return Err(Error::usage(format!(
                "profile `{name}` sets {}, which is not for commands",
                key.name
            ))
            .hint(format!(
                "take it out of {}; a profile may set {}",
                path.display(),
                KEYS.join(", ")
            )));
        }
        let description = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
        Ok(Profile {
            name: name.to_owned(),
            path,
            description: description.to_owned(),
            values: content.values,
        })
    }

    /// The names of all, in order.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn names(&self) -> Result<Vec<String>, Error> {
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(Error::unavailable(format!("`{}` cannot be read: {error}", self.0.display())));
            }
        };
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry.ok()?.file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned)
        };
        let mut names: Vec<String> = entries.filter_map(name).collect();
        names.sort();
        Ok(names)
    }

    /// Writes a profile, for its owner alone.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save(
        &self,
        name: &str,
        description: &str,
        values: &[(&'static Key, String)],
    ) -> Result<PathBuf, Error> {
        let path = self.path(name)?;
        let mut text = match description.trim() {
            "" => String::new(),
            description => format!("# {}\n", description.replace(['\n', '\r'], " ")),
        };
        for (key, value) in values {
            let setting = super::edit::Setting::parse(key, value)
                .map_err(|wrong| Error::usage(format!("{}: {wrong}", key.name)))?;
            text = super::edit::with(&path.display().to_string(), &text, &setting)
                .map_err(|_| Error::internal(format!("write {} into a profile", key.name)))?;
        }
        write_private(&path, text.as_bytes())?;
        Ok(path)
    }

    /// Removes a profile.
    ///
    /// # Errors
    /// There is none, or it cannot be removed.
    pub(crate) fn delete(&self, name: &str) -> Result<(), Error> {
        let path = self.get(name).map(|profile| profile.path).or_else(|_| self.path(name))?;
        std::fs::remove_file(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_found(format!("there is no profile `{name}`")),
            _ => Error::unavailable(format!("`{}` cannot be removed: {error}", path.display())),
        })?;
        if self.selected().as_deref() == Some(name) {
            let _ = std::fs::remove_file(self.0.join(SELECTED));
        }
        Ok(())
    }

    /// Makes a profile the usual one.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn select(&self, name: &str) -> Result<(), Error> {
        self.get(name)?;
        write_private(&self.0.join(SELECTED), name.as_bytes())
    }

    /// The name of the usual one.
    pub(crate) fn selected(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.0.join(SELECTED)).ok()?;
        Some(name.trim().to_owned()).filter(|name| !name.is_empty())
    }

    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let is_name = (1..=NAME_MAX_CHARS).contains(&name.chars().count())
            && name.chars().all(is_allowed)
            && !name.starts_with('.');
        if is_name {
            return Ok(self.0.join(format!("{name}.yaml")));
        }
        let shown: String = name.chars().take(NAME_MAX_CHARS).collect();
        Err(Error::usage(format!("`{shown}` is not a name of a profile: letters, digits, `-`, `_`, `.`")))
    }
}

impl Profile {
    /// A value as text; secrets as they are.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let (key, value) = self.values.iter().find(|(key, _)| key.name == name)?;
        Some(match value {
            Value::Text(text) => text.clone(),
            other => other.shown(key),
        })
    }

    /// The URL it leads to.
    pub(crate) fn endpoint(&self) -> String {
        let host = self.text("API.Host").unwrap_or_default();
        if host.contains("://") {
            return host;
        }
        let is_on = |name: &str| self.text(name).is_some_and(|value| value != "false" && !value.is_empty());
        let encrypted = ["API.TLS.UseTLS", "API.TLS.CAFile", "API.TLS.Fingerprint", "API.TLS.Insecure"];
        let scheme = if encrypted.into_iter().any(is_on) { "https" } else { "http" };
        let port = self.text("API.Port").unwrap_or_else(|| default("API.Port"));
        let host = if host.is_empty() { default("API.Host") } else { host };
        format!("{scheme}://{host}:{port}")
    }

    /// By what it shows who is calling.
    pub(crate) fn shows(&self) -> &'static str {
        let is_set = |name: &str| self.text(name).is_some_and(|value| !value.is_empty());
        match (is_set("API.Key"), is_set("API.Username")) {
            (true, _) => "key",
            (false, true) => "password",
            (false, false) => "none",
        }
    }
}

fn default(name: &str) -> String {
    key::find(name).map(|key| key.default.to_owned()).unwrap_or_default()
}
