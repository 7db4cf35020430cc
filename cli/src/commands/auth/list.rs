//! `skrei auth list` and `skrei auth revoke`.

use clap::Args;
use serde_json::json;
use skrei_access::StoredUser;

use super::add::failed;
use crate::{
    cli::Globals,
    commands::config,
    error::Error,
    exit, logins,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
        time,
    },
};

/// Everybody who was let in with `skrei auth add`, and what they may do.
#[derive(Debug, Args)]
#[command(after_help = "Users of the configuration (API.Auth.Users) are not among them.")]
pub(crate) struct List {
    #[command(flatten)]
    format: ListFormat,
}

/// Lets somebody in no longer. A running orchestrator refuses them from the next request on.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Whom
    #[arg(value_name = "NAME")]
    name: String,
}

impl List {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let file = logins::users(&config(globals)?.data_dir);
        let users = file.list().map_err(|error| failed(&error))?;
        let now = logins::seconds_now();
        let mut table = Table::new(&["name", "by", "key", "capabilities", "created", "expires"]);
        for user in &users {
            let key = user.key.map(|key| key.short()).unwrap_or_default();
            let (expires, mood) = match user.expires {
                None => ("never".to_owned(), Mood::Plain),
                Some(at) if at <= now => (format!("{} (over)", date(at)), Mood::Bad),
                Some(at) => (date(at), Mood::Plain),
            };
            table.moody_row([
                (user.name.as_str(), Mood::Plain),
                (by(user), Mood::Plain),
                (key.as_str(), Mood::Plain),
                (user.capabilities.to_string().as_str(), Mood::Plain),
                (date(user.created).as_str(), Mood::Plain),
                (expires.as_str(), mood),
            ]);
        }
        if table.is_empty() {
            terminal::note("Nobody. `skrei auth add` lets somebody in.");
        }
        let item = |user: &StoredUser| {
            json!({
                "Name": user.name,
                "By": by(user),
                "Key": user.key.map(|key| key.short()),
                "Capabilities": user.capabilities,
                "Created": user.created,
                "Expires": user.expires,
            })
        };
        self.format.show(&table, &users.iter().map(item).collect::<Vec<_>>())?;
        Ok(exit::SUCCESS)
    }
}

impl Revoke {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let file = logins::users(&config(globals)?.data_dir);
        if !file.remove(&self.name).map_err(|error| failed(&error))? {
            return Err(Error::not_found(format!("there is no user `{}`", self.name))
                .hint("`skrei auth list` shows them; those of the configuration are in API.Auth.Users"));
        }
        terminal::note(&format!("{} is let in no longer.", self.name));
        Ok(exit::SUCCESS)
    }
}

fn by(user: &StoredUser) -> &'static str {
    if user.key.is_some() { "key" } else { "password" }
}

fn date(seconds: u64) -> String {
    time::date(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000_000))
}
