//! Several sources, the highest of which wins.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde_json::{Map, Value as Json};

use super::{
    Argument, environment, file, key,
    key::{Key, Kind},
    keys::keys,
    profile::{self, Chosen, Profiles},
    value::Value,
};
use crate::error::Error;

/// What is shown to a server.
const SHOWN: &[&str] = &["API.Key", "API.Username", "API.Password"];

/// The file looked for in the data directory.
const FILE_NAME: &str = "config.yaml";

/// What flags of their own say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--data-dir`.
    pub(crate) data_dir: Option<String>,
    /// `--api-host`.
    pub(crate) api_host: Option<String>,
    /// `--api-port`.
    pub(crate) api_port: Option<u16>,
    /// `--tls`.
    pub(crate) tls: bool,
    /// `--cacert`.
    pub(crate) ca_file: Option<String>,
    /// `--insecure`.
    pub(crate) insecure: bool,
    /// `serve --tlscert`.
    pub(crate) cert_file: Option<String>,
    /// `serve --tlskey`.
    pub(crate) key_file: Option<String>,
    /// `serve --autocert`.
    pub(crate) autocert: Option<String>,
    /// `serve --self-signed`.
    pub(crate) self_signed: bool,
    /// `serve --orchestrator`.
    pub(crate) orchestrator: bool,
    /// `serve --compute`.
    pub(crate) compute: bool,
    /// `--profile`, and whether profiles count at all.
    pub(crate) profile: Chosen,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `-c KEY=VALUE`.
    Argument,
    /// A flag of its own.
    Flag(&'static str),
    /// An environment variable.
    Environment(String),
    /// A profile, by name.
    Profile(String),
    /// A file.
    File(PathBuf),
    /// The table of keys.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument => f.write_str("-c"),
            Self::Flag(flag) => f.write_str(flag),
            Self::Environment(variable) => f.write_str(variable),
            Self::Profile(name) => write!(f, "profile {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The value of every key, and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    values: BTreeMap<&'static str, (Value, Origin)>,
    warnings: Vec<String>,
}

impl Layers {
    /// What counts more than any file: `-c KEY=VALUE`, flags, environment.
    fn above_files(
        arguments: &[Argument],
        flags: Flags,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut layers = Self { values: BTreeMap::new(), warnings: Vec::new() };
        // The last `-c` of a key wins.
        for argument in arguments.iter().rev() {
            if let Argument::Set(key, value) = argument {
                if key.is_secret() {
                    let variable = &environment::variables(key)[0];
                    layers.warnings.push(format!(
                        "everybody on this machine can read {} on the command line: put it into {variable}, or into a file",
                        key.name
                    ));
                }
                layers.offer(key, value.clone(), Origin::Argument);
            }
            if let Argument::Older { now, warning } = argument {
                layers.warnings.push(warning.clone());
                for (key, value) in now {
                    layers.offer(key, value.clone(), Origin::Argument);
                }
            }
        }
        let profile = flags.profile.clone();
        for (flag, name, text) in flags.given() {
            let key = key::find(name).ok_or_else(|| Error::internal(format!("no key `{name}`")))?;
            let value = Value::parse(key, &text).map_err(|wrong| Error::usage(format!("{flag}: {wrong}")))?;
            layers.offer(key, value, Origin::Flag(flag));
        }
        let usual = usual_profile(&lookup);
        // A profile that is named on the command line counts as a flag does.
        if let Chosen::Named(name) = &profile {
            if let Some(origin) = layers.server_origin() {
                return Err(Error::usage(format!(
                    "profile `{name}` and {origin} both say where the server is"
                ))
                .hint("leave out one of them: what a profile shows is for its own server alone"));
            }
            layers.profile(name, &lookup)?;
        }
        for found in environment::read(&lookup)? {
            layers.warnings.extend(found.warning);
            layers.offer(found.key, found.value, Origin::Environment(found.variable));
        }
        if profile == Chosen::Usual {
            layers.usual_profile(usual, &lookup)?;
        }
        Ok(layers)
    }

    /// Reads all sources: `-c KEY=VALUE`, flags, environment, files, defaults, the first of which to have a key
    /// gives its value.
    pub(super) fn read(
        arguments: &[Argument],
        flags: Flags,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let mut layers = Self::above_files(arguments, flags, lookup)?;
        layers.files(arguments)?;
        for key in keys() {
            let value = Value::parse(key, key.default)
                .map_err(|wrong| Error::internal(format!("default of {}: {wrong}", key.name)))?;
            layers.offer(key, value, Origin::Default);
        }
        Ok(layers)
    }

    /// The profile that the environment names, or the selected one; unless it is said otherwise where the server is.
    fn usual_profile(
        &mut self,
        named: Option<String>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        match (self.server_origin(), named) {
            (None, Some(name)) => self.profile(&name, lookup),
            (None, None) => match Profiles::new(&self.data_dir()?).selected() {
                Some(name) => self.profile(&name, lookup),
                None => Ok(()),
            },
            (Some(origin), Some(name)) => {
                let warning = format!("profile `{name}` does not count: {origin} says where the server is");
                self.warnings.push(warning);
                Ok(())
            }
            (Some(_), None) => Ok(()),
        }
    }

    /// Who says where the server is, by now.
    fn server_origin(&self) -> Option<&Origin> {
        ["API.Host", "API.Port"].into_iter().find_map(|name| self.values.get(name)).map(|(_, origin)| origin)
    }

    /// What a profile sets: one server, whom to trust there, and what to show it. These belong together, so that
    /// nothing of them is taken from a source below.
    fn profile(&mut self, name: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<(), Error> {
        let mut data_dir = self.data_dir()?;
        if !self.values.contains_key("DataDir") {
            // Not read yet, and needed to find the profile.
            let set = ["SKREI_DATADIR", "BACALHAU_DATADIR", "SKREI_DIR", "BACALHAU_DIR"];
            let set = set.into_iter().find_map(|variable| lookup(variable).filter(|text| !text.is_empty()));
            if let Some(Value::Path(path)) =
                set.and_then(|text| Value::parse(self::data_dir().ok()?, &text).ok())
            {
                data_dir = path;
            }
        }
        let profile = Profiles::new(&data_dir).get(name)?;
        for (key, value) in profile.values {
            self.offer(key, value, Origin::Profile(name.to_owned()));
        }
        for name in profile::KEYS {
            let key = key::find(name).ok_or_else(|| Error::internal(format!("no key `{name}`")))?;
            let default = Value::parse(key, key.default).map_err(Error::internal)?;
            self.offer(key, default, Origin::Profile(profile.name.clone()));
        }
        Ok(())
    }

    /// The file looked for when none is given, with what is known before files are read.
    fn own_file(&self) -> Result<PathBuf, Error> {
        Ok(self.data_dir()?.join(FILE_NAME))
    }

    /// The data directory, as far as it is known by now.
    fn data_dir(&self) -> Result<PathBuf, Error> {
        let key = data_dir()?;
        let default = Value::parse(key, key.default).map_err(Error::usage)?;
        match self.values.get(key.name).map_or(&default, |(value, _)| value) {
            Value::Path(directory) => Ok(directory.clone()),
            _ => Err(Error::internal("`DataDir` is not a path")),
        }
    }

    fn files(&mut self, arguments: &[Argument]) -> Result<(), Error> {
        let mut given: Vec<PathBuf> = given_files(arguments).cloned().collect();
        if given.is_empty() {
            let path = self.own_file()?;
            if path.is_file() {
                given.push(path.clone());
                // Its values are read below; one that moves the directory it lies in cannot be meant.
                let own = path.parent().map(PathBuf::from);
                let name = data_dir()?.name;
                let moves = |value: &Value| !matches!(value, Value::Path(path) if Some(path) == own.as_ref());
                if file::read(&path)?.values.iter().any(|(set, value)| set.name == name && moves(value)) {
                    return Err(Error::usage(format!(
                        "`{}` sets DataDir to another place than its own",
                        path.display()
                    ))
                    .hint("set it with --data-dir or SKREI_DATADIR, or remove it from the file"));
                }
            }
        }
        // Later files win.
        for path in given.into_iter().rev() {
            let file::Content { values, warnings } = file::read(&path)?;
            self.warnings.extend(warnings);
            if values.is_empty() {
                self.warnings.push(format!("configuration file `{}` sets nothing", path.display()));
            }
            let meant_for = self.meant_for_another_server(&values);
            for (key, value) in values {
                match &meant_for {
                    Some(host) if SHOWN.contains(&key.name) => self.warnings.push(format!(
                        "{} of `{}` is for {host}, and is not shown to another server",
                        key.name,
                        path.display()
                    )),
                    _ => self.offer(key, value, Origin::File(path.clone())),
                }
            }
        }
        Ok(())
    }

    /// The server that a file is about, if another has been named in the meantime: what the file would show is not for that
    /// one. A file of a server only says on which of its addresses that one listens.
    fn meant_for_another_server(&self, file: &[(&'static Key, Value)]) -> Option<String> {
        let (host, _) = self.values.get("API.Host")?;
        let (_, meant) = file.iter().find(|(key, _)| key.name == "API.Host")?;
        let Value::Text(meant_for) = meant else { return None };
        let is_any = matches!(meant_for.as_str(), "" | "0.0.0.0" | "::" | "[::]");
        (host != meant && !is_any).then(|| meant_for.clone())
    }

    /// Takes a value unless a higher source gave one.
    fn offer(&mut self, key: &'static Key, value: Value, origin: Origin) {
        self.values.entry(key.name).or_insert((value, origin));
    }

    /// What is worth knowing, but no reason to stop.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    /// Whether nobody gave this key a value.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.values.get(name).is_none_or(|(_, origin)| *origin == Origin::Default)
    }

    /// All values as one document, in the shape of a configuration file, secrets masked.
    pub(crate) fn to_json(&self) -> Json {
        let mut document = Map::new();
        for (key, text, _) in self.shown() {
            let value = match self.get(key.name) {
                // A text to Bacalhau's command, which reads all of it or nothing.
                Some(value @ Value::List(_)) if key.name == "API.TLS.AutoCert" => {
                    Json::from(value.shown(key))
                }
                Some(value) if key.kind != Kind::Secret => value.to_json(key),
                _ => Json::from(text),
            };
            insert(&mut document, key.name, value);
        }
        Json::Object(document)
    }

    /// Every key with its value as text, secrets masked, in the order of the table.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&'static Key, String, &Origin)> {
        keys().filter_map(|key| {
            let (value, origin) = self.values.get(key.name)?;
            Some((key, value.shown(key), origin))
        })
    }
}

/// The file that a change goes into: the last one given, or the one in the data directory.
pub(super) fn file_to_change(
    arguments: &[Argument],
    flags: Flags,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<PathBuf, Error> {
    match given_files(arguments).last() {
        Some(path) => Ok(path.clone()),
        None => Layers::above_files(arguments, flags, lookup)?.own_file(),
    }
}

fn given_files(arguments: &[Argument]) -> impl Iterator<Item = &PathBuf> {
    arguments.iter().filter_map(|argument| match argument {
        Argument::File(path) => Some(path),
        Argument::Set(..) | Argument::Older { .. } => None,
    })
}

/// The profile that the environment names.
fn usual_profile(lookup: impl Fn(&str) -> Option<String>) -> Option<String> {
    let variables = ["SKREI_PROFILE", "BACALHAU_PROFILE"];
    variables.into_iter().find_map(|variable| lookup(variable).filter(|name| !name.is_empty()))
}

fn data_dir() -> Result<&'static Key, Error> {
    key::find("DataDir").ok_or_else(|| Error::internal("no key `DataDir`"))
}

/// Puts a value at a path whose steps are separated by dots.
fn insert(section: &mut Map<String, Json>, path: &str, value: Json) {
    match path.split_once('.') {
        None => drop(section.insert(path.to_owned(), value)),
        Some((step, rest)) => {
            let inner = section.entry(step).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(inner) = inner {
                insert(inner, rest, value);
            }
        }
    }
}

impl Flags {
    /// The flags given: flag, key, value.
    fn given(self) -> Vec<(&'static str, &'static str, String)> {
        let yes = |set: bool| set.then(|| "true".to_owned());
        [
            ("--data-dir", "DataDir", self.data_dir),
            ("--api-host", "API.Host", self.api_host),
            ("--api-port", "API.Port", self.api_port.map(|port| port.to_string())),
            ("--tls", "API.TLS.UseTLS", yes(self.tls)),
            ("--cacert", "API.TLS.CAFile", self.ca_file),
            ("--insecure", "API.TLS.Insecure", yes(self.insecure)),
            ("--tlscert", "API.TLS.CertFile", self.cert_file),
            ("--tlskey", "API.TLS.KeyFile", self.key_file),
            ("--autocert", "API.TLS.AutoCert", self.autocert),
            ("--self-signed", "API.TLS.SelfSigned", yes(self.self_signed)),
            ("--orchestrator", "Orchestrator.Enabled", yes(self.orchestrator)),
            ("--compute", "Compute.Enabled", yes(self.compute)),
        ]
        .into_iter()
        .filter_map(|(flag, key, value)| Some((flag, key, value?)))
        .collect()
    }
}
