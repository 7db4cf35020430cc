//! Values of keys by their types.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use skrei_access::WrittenUser;

use super::{layers::Layers, share::Share, value::Value};
use crate::error::Error;

/// Values by name, each of the type the table says. A mismatch is a mistake of ours.
pub(super) struct Get<'layers>(&'layers Layers);

impl<'layers> Get<'layers> {
    pub(super) fn new(layers: &'layers Layers) -> Self {
        Self(layers)
    }
}

macro_rules! getters {
    ($($name:ident: $variant:ident -> $type:ty),*) => {
        impl Get<'_> {
            $(pub(super) fn $name(&self, key: &str) -> Result<$type, Error> {
                match self.0.get(key) {
                    Some(Value::$variant(value)) => Ok(value.clone()),
                    _ => Err(mistyped(key)),
                }
            })*
        }
    };
}

getters!(text: Text -> String, boolean: Boolean -> bool, port: Port -> u16, path: Path -> PathBuf,
    duration: Duration -> Duration, list: List -> Vec<String>, number: Amount -> u64, users: Users -> Vec<WrittenUser>, map: Map -> BTreeMap<String, String>);

impl Get<'_> {
    /// What is no share of anything.
    pub(super) fn amount(&self, key: &str) -> Result<u64, Error> {
        match self.0.get(key) {
            Some(Value::Amount(amount)) => Ok(*amount),
            _ => Err(Error::usage(format!("{key} is an amount, not a share"))),
        }
    }

    /// None if it is empty.
    pub(super) fn file(&self, key: &str) -> Result<Option<PathBuf>, Error> {
        self.path(key).map(|path| Some(path).filter(|path| !path.as_os_str().is_empty()))
    }

    pub(super) fn share(&self, key: &str) -> Result<Share, Error> {
        match self.0.get(key) {
            Some(Value::Percent(percent)) => Ok(Share::Percent(*percent)),
            Some(Value::Amount(amount)) => Ok(Share::Amount(*amount)),
            _ => Err(mistyped(key)),
        }
    }
}

fn mistyped(key: &str) -> Error {
    Error::internal(format!("configuration key `{key}` is used as another type than it has"))
}
