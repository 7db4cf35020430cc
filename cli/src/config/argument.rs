//! `-c`: `KEY=VALUE`, a file, or the name of a boolean key.

use std::{path::PathBuf, str::FromStr};

use super::{
    key::{self, Key, Kind},
    value::Value,
};

/// What one `-c` says.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// A key and its value.
    Set(&'static Key, Value),
    /// A configuration file.
    File(PathBuf),
}

impl FromStr for Argument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, value)) = text.split_once('=') {
            let key = known(name.trim())?;
            let value = Value::parse(key, value).map_err(|wrong| format!("{}: {wrong}", key.name))?;
            return Ok(Self::Set(key, value));
        }
        if is_file_name(text) {
            return Ok(Self::File(PathBuf::from(text)));
        }
        if key::find(text).is_none() && std::path::Path::new(text).is_file() {
            return Err("a configuration file must end in `.yaml` or `.yml`".to_owned());
        }
        let key = known(text)?;
        if key.kind == Kind::Boolean {
            Ok(Self::Set(key, Value::Boolean(true)))
        } else {
            Err(format!("`{0}` needs a value: `-c {0}=...`", key.name))
        }
    }
}

fn is_file_name(text: &str) -> bool {
    [".yaml", ".yml"].iter().any(|suffix| text.to_ascii_lowercase().ends_with(suffix))
}

fn known(name: &str) -> Result<&'static Key, String> {
    key::find(name).ok_or_else(|| format!("`{name}` is not a configuration key; {}", key::hint(name)))
}
