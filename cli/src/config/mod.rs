//! The configuration: one table of keys, several sources, one typed tree.
//!
//! [`keys`] says what can be set. Each source ([`argument`], flags, [`environment`], [`file`](mod@file)) yields values that
//! [`value`] has parsed by the key's type; [`layers`] lets the highest source win; [`Config`] is what the
//! program uses.

mod argument;
mod callers;
pub(crate) mod edit;
mod environment;
mod file;
mod get;
mod job_defaults;
pub(crate) mod key;
mod keys;
mod layers;
pub(crate) mod older;
pub(crate) mod profile;
mod schema;
mod share;
mod storage;
#[cfg(test)]
mod tests;
mod tls;
mod tree;
mod users;
pub(crate) mod value;

pub(crate) use argument::Argument;
pub(crate) use callers::{AuthMode, Callers};
pub(crate) use layers::{Flags, Layers};
pub(crate) use schema::schema;
pub(crate) use tls::{AutoCert, ServerTls};
pub(crate) use tree::{Address, Capacity, Config, Logging, LoggingMode};

use std::path::{Path, PathBuf};

use self::key::Key;
use crate::{error::Error, terminal};

/// Reads every source and makes the tree.
///
/// # Errors
/// Everything that is wrong in the highest source that has something wrong.
pub(crate) fn load(arguments: &[Argument], flags: Flags) -> Result<(Config, Layers), Error> {
    let layers = Layers::read(arguments, flags, |name| std::env::var(name).ok())?;
    for warning in layers.warnings() {
        terminal::warn(warning);
    }
    let config = Config::new(&layers)?;
    Ok((config, layers))
}

/// The file that a change to the configuration goes into: the last one given, or the one in the data directory.
///
/// # Errors
/// If the sources other than files have something wrong.
pub(crate) fn file_to_change(arguments: &[Argument], flags: Flags) -> Result<PathBuf, Error> {
    layers::file_to_change(arguments, flags, |name| std::env::var(name).ok())
}

/// Checks a file by itself; the number of keys it sets.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn check_file(path: &Path) -> Result<usize, Error> {
    file::read(path).map(|content| content.values.len())
}

/// The environment variables that set a key, the one that counts first.
pub(crate) fn variables(key: &Key) -> Vec<String> {
    environment::variables(key)
}
