//! `skrei auth add`.

use std::time::Duration;

use clap::Args;
use skrei_access::{ApiKey, Capabilities, Capability, FileError, StoredUser, hash_password};

use crate::{cli::Globals, commands::config, error::Error, exit, logins, terminal};

/// Shortest password that is taken.
const PASSWORD_CHARS_MIN: usize = 10;

/// Lets somebody call the orchestrator whose data directory this is. The key is shown once, and kept as a hash.
#[derive(Debug, Args)]
#[command(
    after_help = "A running orchestrator knows at once. Capabilities: `*`; `read:` or `write:` with `job`, `node`, `secret`, `agent` or `*`; \
    `read:audit`. The key is the only thing on standard output."
)]
pub(crate) struct Add {
    /// What to call them: letters, digits, `-`, `_`, `.`, `@`
    #[arg(value_name = "NAME")]
    name: String,
    /// What they may do; repeatable, or several with commas
    #[arg(long, value_name = "CAPABILITY", required = true, value_delimiter = ',')]
    allow: Vec<Capability>,
    /// With a password in place of a key: typed, or the first line of standard input
    #[arg(long)]
    password: bool,
    /// For so long only: `90d`, `12h`
    #[arg(long, value_name = "TIME", value_parser = span)]
    expires: Option<Duration>,
}

impl Add {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let data_dir = config(globals)?.data_dir;
        let key = if self.password {
            None
        } else {
            let made = ApiKey::generate();
            Some(made.map_err(|error| Error::unavailable(format!("make a key: {error}")))?)
        };
        let password = self.password.then(ask_password).transpose()?;
        let created = logins::seconds_now();
        let file = logins::users(&data_dir);
        file.add(StoredUser {
            name: self.name.clone(),
            password,
            key: key.as_ref().map(ApiKey::digest),
            capabilities: self.allow.into_iter().collect::<Capabilities>(),
            created,
            expires: self.expires.map(|span| created.saturating_add(span.as_secs())),
        })
        .map_err(|error| failed(&error))?;
        match key {
            Some(key) => {
                terminal::note(&format!("{} may call now. This is the key, shown this once:", self.name));
                terminal::data(key.secret().expose())?;
                terminal::note("Commands show it with SKREI_API_KEY.");
            }
            None => terminal::note(&format!(
                "{} may call now, with SKREI_API_USERNAME and SKREI_API_PASSWORD.",
                self.name
            )),
        }
        Ok(exit::SUCCESS)
    }
}

fn ask_password() -> Result<String, Error> {
    let cannot = |error| Error::usage(format!("the password cannot be read: {error}"));
    let password = terminal::prompt::secret("Password:").map_err(cannot)?;
    if password.expose().chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::usage(format!("a password has at least {PASSWORD_CHARS_MIN} characters")));
    }
    hash_password(password.expose()).map_err(Error::unavailable)
}

/// A file of users that does not do as it should.
pub(super) fn failed(error: &FileError) -> Error {
    let message = error.to_string();
    match error {
        FileError::Io { .. } => Error::unavailable(message)
            .hint("run this on the server's machine as its user, with the server's --data-dir"),
        FileError::Taken(name) => {
            Error::refused(message).hint(format!("choose another name, or `skrei auth revoke {name}` first"))
        }
        FileError::Content { .. } | FileError::User(_) => Error::usage(message),
        FileError::TooMany => Error::refused(message),
    }
}

fn span(text: &str) -> Result<Duration, String> {
    let units = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];
    let wrong = || format!("`{text}` is not a time such as `90d`, `12h` or `30m`");
    let (unit, seconds) = units.into_iter().find(|(unit, _)| text.ends_with(unit)).ok_or_else(wrong)?;
    let number: u64 = text[..text.len() - unit.len()].parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}
