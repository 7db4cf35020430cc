//! `skrei profile save`.

use clap::Args;
use skrei_access::Secret;

use super::profiles;
use crate::{
    cli::Globals,
    config::key::{self, Key},
    error::Error,
    exit,
    terminal::{self, style},
};

/// Makes a profile, or changes what is given of it. It is kept for its owner alone.
#[derive(Debug, Args)]
#[command(
    after_help = "Whom to trust is said as for any command: --tls, --cacert FILE, --insecure, --fingerprint.\n\
    A key or password is never an argument: it is typed, or the first line of standard input."
)]
pub(crate) struct Save {
    /// What to call it
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the server is: `https://HOST:PORT`
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Trust the server with this certificate, or of this authority, and no other: its SHA-256
    #[arg(long, value_name = "SHA256")]
    fingerprint: Option<String>,
    /// Keep an API key, too
    #[arg(long, conflicts_with = "username")]
    with_key: bool,
    /// Log in as this user, and keep the password, too
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// A line for people
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Make it the usual one
    #[arg(long)]
    select: bool,
}

impl Save {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let profiles = profiles(globals)?;
        let before = match profiles.get(&self.name) {
            Ok(before) => Some(before),
            Err(error) if error.code() == exit::NOT_FOUND => None,
            Err(error) => return Err(error),
        };
        let mut values: Vec<(&'static Key, String)> = Vec::new();
        if let Some(before) = &before {
            let text = |key: &Key| before.text(key.name).unwrap_or_default();
            values.extend(before.values.iter().map(|(key, _)| (*key, text(key))));
        }
        for (name, value) in self.given(globals)? {
            let key = key::find(name).ok_or_else(|| Error::internal(format!("no key `{name}`")))?;
            values.retain(|(set, _)| set.name != key.name);
            values.push((key, value));
        }
        if !values.iter().any(|(key, _)| key.name == "API.Host") {
            return Err(Error::usage(format!("profile `{}` leads nowhere", self.name))
                .hint("say where the server is: --endpoint https://HOST:PORT"));
        }
        let description = self.description.as_deref();
        let description = description.or(before.as_ref().map(|before| before.description.as_str()));
        let path = profiles.save(&self.name, description.unwrap_or_default(), &values)?;
        if self.select {
            profiles.select(&self.name)?;
        }
        let style = style::stderr();
        let use_it =
            if self.select { String::new() } else { format!("; use it with --profile {}", self.name) };
        terminal::note(&format!("Profile {} is in {}{use_it}.", style.bold(&self.name), path.display()));
        Ok(exit::SUCCESS)
    }

    /// What the command line sets, by key.
    fn given(&self, globals: &Globals) -> Result<Vec<(&'static str, String)>, Error> {
        let mut given: Vec<(&str, String)> = Vec::new();
        match (&self.endpoint, &globals.api_host) {
            (Some(_), Some(_)) => {
                return Err(Error::usage("--endpoint and --api-host both say where the server is"));
            }
            (Some(endpoint), None) => given.push(("API.Host", checked(endpoint)?)),
            (None, Some(host)) => given.push(("API.Host", host.clone())),
            (None, None) => {}
        }
        given.extend(globals.api_port.map(|port| ("API.Port", port.to_string())));
        given.extend(globals.tls.then(|| ("API.TLS.UseTLS", "true".to_owned())));
        given.extend(globals.insecure.then(|| ("API.TLS.Insecure", "true".to_owned())));
        if let Some(file) = &globals.cacert {
            let absolute =
                std::path::absolute(file).map_err(|error| Error::usage(format!("--cacert: {error}")))?;
            given.push(("API.TLS.CAFile", absolute.display().to_string()));
        }
        given.extend(self.fingerprint.clone().map(|fingerprint| ("API.TLS.Fingerprint", fingerprint)));
        if self.with_key {
            given.push(("API.Key", asked("API key:")?.expose().to_owned()));
            given.extend([("API.Username", String::new()), ("API.Password", String::new())]);
        }
        if let Some(user) = &self.username {
            given.push(("API.Username", user.clone()));
            given.push(("API.Password", asked("Password:")?.expose().to_owned()));
            given.push(("API.Key", String::new()));
        }
        Ok(given)
    }
}

fn checked(endpoint: &str) -> Result<String, Error> {
    skrei_protocol::client::Client::new(endpoint)?;
    Ok(endpoint.to_owned())
}

fn asked(question: &str) -> Result<Secret, Error> {
    let secret = terminal::prompt::secret(question)
        .map_err(|error| Error::usage(format!("standard input cannot be read: {error}")))?;
    if secret.expose().is_empty() {
        return Err(Error::usage("nothing was typed"));
    }
    Ok(secret)
}
