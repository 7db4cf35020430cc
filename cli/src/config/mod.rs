//! The configuration: one table of keys, several sources, one typed tree.
//!
//! [`keys`] says what can be set. Each source ([`argument`], flags, [`environment`], [`file`](mod@file)) yields values that
//! [`value`] has parsed by the key's type; [`layers`] lets the highest source win; [`Config`] is what the
//! program uses.

mod argument;
mod environment;
mod file;
mod key;
mod keys;
mod layers;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub(crate) use argument::Argument;
pub(crate) use layers::{Flags, Layers};
pub(crate) use tree::{Address, Capacity, Config, Logging, LoggingMode};

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
