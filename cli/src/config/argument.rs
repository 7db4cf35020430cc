//! `-c`: `KEY=VALUE`, a file, or the name of a boolean key.

use std::{path::PathBuf, str::FromStr};

use super::{
    key::{self, Key, Kind},
    older::{self, Now},
    value::Value,
};

/// What one `-c` says.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    /// A key and its value.
    Set(&'static Key, Value),
    /// A configuration file.
    File(PathBuf),
    /// A setting of an older version, or one that means nothing here.
    Older {
        /// What it sets now.
        now: Vec<(&'static Key, Value)>,
        /// What whoever wrote it should know.
        warning: String,
    },
}

impl FromStr for Argument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((name, value)) = text.split_once('=') {
            if let Some(older) = older(name.trim(), value) {
                return older;
            }
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
        if let Some(older) = older(text, "true") {
            return older;
        }
        let key = known(text)?;
        if key.kind == Kind::Boolean {
            Ok(Self::Set(key, Value::Boolean(true)))
        } else {
            Err(format!("`{0}` needs a value: `-c {0}=...`", key.name))
        }
    }
}

/// The setting, if its name is an older one.
fn older(name: &str, value: &str) -> Option<Result<Argument, String>> {
    let now = if key::find(name).is_some() { None } else { older::find(name) }?;
    let under = |name: &str| {
        let key = known(name)?;
        let value = Value::parse(key, value).map_err(|wrong| format!("{}: {wrong}", key.name))?;
        Ok::<_, String>((key, value))
    };
    let renamed = |names: &[&str]| {
        let now = names.iter().map(|name| under(name)).collect::<Result<Vec<_>, String>>()?;
        let warning =
            format!("`{name}` is a setting of older versions: write -c {}=...", names.join("=... and -c "));
        Ok(Argument::Older { now, warning })
    };
    Some(match now {
        Now::Key(key) => renamed(&[key]),
        Now::Both(one, other) => renamed(&[one, other]),
        Now::Roles => older::roles(value).map(|keys| {
            let names: Vec<_> = keys.iter().map(|key| format!("-c {}", key.name)).collect();
            let warning = format!("`{name}` is a setting of older versions: write {}", names.join(" "));
            Argument::Older {
                now: keys.into_iter().map(|key| (key, Value::Boolean(true))).collect(),
                warning,
            }
        }),
        Now::Nothing(why) => {
            Ok(Argument::Older { now: Vec::new(), warning: format!("`{name}` means nothing here: {why}") })
        }
        Now::Refused(why) => Err(format!("{name}: {why}")),
    })
}

fn is_file_name(text: &str) -> bool {
    [".yaml", ".yml"].iter().any(|suffix| text.to_ascii_lowercase().ends_with(suffix))
}

fn known(name: &str) -> Result<&'static Key, String> {
    key::find(name).ok_or_else(|| format!("`{name}` is not a configuration key; {}", key::hint(name)))
}
