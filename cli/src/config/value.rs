//! Values, parsed by the type of their key.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde_json::Value as Json;
use skrei_access::WrittenUser;
use skrei_job::resources;

use super::{
    key::{Key, Kind},
    users,
};

/// A value of the type its key asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// For texts, secrets and words.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A port.
    Port(u16),
    /// An absolute path; empty for a file that is not given.
    Path(PathBuf),
    /// A span of time.
    Duration(Duration),
    /// Several texts.
    List(Vec<String>),
    /// Texts by name.
    Map(BTreeMap<String, String>),
    /// A share, in percent.
    Percent(u8),
    /// In thousandths of a core, bytes, or pieces; or a plain number.
    Amount(u64),
    /// Who may call the API.
    Users(Vec<WrittenUser>),
}

impl Value {
    /// Reads a value from text. The message says what is wrong, without the key's name and, for secrets,
    /// without the value.
    pub(crate) fn parse(key: &Key, text: &str) -> Result<Self, String> {
        let text = text.trim();
        match key.kind {
            Kind::Text | Kind::Secret => Ok(Self::Text(text.to_owned())),
            Kind::Word(words) => match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                Some(word) => Ok(Self::Text((*word).to_owned())),
                None => Err(format!("`{text}` is not one of {}", words.join(", "))),
            },
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => Ok(Self::Boolean(true)),
                "false" | "f" | "0" => Ok(Self::Boolean(false)),
                _ => Err(format!("`{text}` is neither `true` nor `false`")),
            },
            Kind::Port => {
                let wrong = |_| format!("`{text}` is not a port: a number from 0 to 65535");
                text.parse().map(Self::Port).map_err(wrong)
            }
            Kind::File if text.is_empty() => Ok(Self::Path(PathBuf::new())),
            Kind::Path | Kind::File => path(text).map(Self::Path),
            Kind::Duration => duration(text).map(Self::Duration),
            Kind::List => list(text).map(Self::List),
            Kind::Number => {
                let wrong = |_| format!("`{text}` is not a whole number");
                text.parse().map(Self::Amount).map_err(wrong)
            }
            Kind::Users => users::parse(text).map(Self::Users),
            Kind::Map => {
                list(text)?.iter().map(|pair| self::pair(pair)).collect::<Result<_, _>>().map(Self::Map)
            }
            Kind::Cpu => amount(text, resources::parse_cpu),
            Kind::Bytes => amount(text, resources::parse_bytes),
            Kind::Pieces => amount(text, resources::parse_gpus),
        }
    }

    /// As it stands in a configuration file; secrets as they are.
    pub(super) fn to_json(&self, key: &Key) -> Json {
        match self {
            Self::Boolean(boolean) => Json::from(*boolean),
            Self::Port(port) => Json::from(*port),
            Self::List(items) => Json::from(items.as_slice()),
            Self::Map(pairs) => {
                pairs.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))).collect()
            }
            Self::Text(text) => Json::from(text.as_str()),
            Self::Amount(number) if key.kind == Kind::Number => Json::from(*number),
            Self::Users(users) => users::masked(users),
            _ => Json::from(self.shown(key)),
        }
    }

    /// As one would write it on the command line.
    pub(crate) fn shown(&self, key: &Key) -> String {
        match self {
            Self::Text(text) if key.kind == Kind::Secret && !text.is_empty() => "********".to_owned(),
            Self::Text(text) => text.clone(),
            Self::Boolean(boolean) => boolean.to_string(),
            Self::Port(port) => port.to_string(),
            Self::Path(path) => path.display().to_string(),
            Self::Duration(duration) => format!("{duration:?}"),
            Self::List(items) => items.join(","),
            Self::Map(pairs) => {
                pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
            }
            Self::Users(users) => users::shown(users),
            Self::Percent(percent) => format!("{percent}%"),
            Self::Amount(amount) => match key.kind {
                Kind::Cpu => format!("{}", *amount as f64 / 1000.0),
                _ => amount.to_string(),
            },
        }
    }
}

/// Splits at commas outside of braces, so that a glob's `{a,b}` stays whole.
pub(crate) fn list(text: &str) -> Result<Vec<String>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut depth = 0_usize;
    let items = text.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    let items: Vec<String> = items.map(|item| item.trim().to_owned()).collect();
    if items.iter().any(String::is_empty) {
        return Err(format!("there is an empty item in `{text}`"));
    }
    Ok(items)
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(format!("`{text}` is not of the form `name=value`")),
    }
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("a path is needed".to_owned());
    }
    let expanded = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = std::env::home_dir().ok_or("`~` cannot be resolved: there is no home directory")?;
            home.join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    };
    std::path::absolute(&expanded).map_err(|error| format!("`{text}` is not a usable path: {error}"))
}

/// A duration as Go writes it: `1h30m`, `1.5s`, `500ms`; `0` needs no unit.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 6] =
        [("h", 3600.0), ("ms", 1e-3), ("m", 60.0), ("us", 1e-6), ("ns", 1e-9), ("s", 1.0)];
    let wrong = || format!("`{text}` is not a duration such as `30s` or `1h30m`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(wrong)?;
        let number: f64 = rest[..end].parse().map_err(|_| wrong())?;
        rest = &rest[end..];
        let (unit, factor) = UNITS.into_iter().find(|(unit, _)| rest.starts_with(unit)).ok_or_else(wrong)?;
        seconds += number * factor;
        rest = &rest[unit.len()..];
    }
    if text.is_empty() { Err(wrong()) } else { Duration::try_from_secs_f64(seconds).map_err(|_| wrong()) }
}

fn amount(text: &str, parse: fn(&str) -> Result<u64, resources::NotAQuantity>) -> Result<Value, String> {
    match text.strip_suffix('%') {
        Some(percent) => match percent.trim().parse() {
            Ok(percent @ 0..=100) => Ok(Value::Percent(percent)),
            _ => Err(format!("`{text}` is not a share from 0% to 100%")),
        },
        None => parse(text).map(Value::Amount).map_err(|error| format!("{error}, nor a share like `80%`")),
    }
}
