//! `skrei profile list`, `show`, `select` and `delete`.

use clap::Args;
use serde_json::{Value, json};

use super::profiles;
use crate::{
    cli::Globals,
    config::profile::Profile,
    error::Error,
    exit,
    terminal::{
        self,
        format::{ItemFormat, ListFormat},
        table::Table,
    },
};

/// All profiles.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: ListFormat,
}

/// One profile. Secrets are masked.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Which [default: the selected one]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Secrets, too
    #[arg(long)]
    show_token: bool,
    #[command(flatten)]
    format: ItemFormat,
}

/// Makes a profile the usual one.
#[derive(Debug, Args)]
pub(crate) struct Select {
    /// Which
    #[arg(value_name = "NAME")]
    name: String,
}

/// Removes a profile, and the key or password in it.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// Which
    #[arg(value_name = "NAME")]
    name: String,
    /// Also if it is the selected one
    #[arg(short, long)]
    force: bool,
}

impl List {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let profiles = profiles(globals)?;
        let selected = profiles.selected();
        let mut table = Table::new(&["current", "name", "endpoint", "auth", "description"]);
        let mut items = Vec::new();
        for name in profiles.names()? {
            let is_selected = selected.as_ref() == Some(&name);
            // One that is broken is still to be seen.
            let (endpoint, auth, description) = match profiles.get(&name) {
                Ok(profile) => (profile.endpoint(), profile.shows(), profile.description),
                Err(_) => ("?".to_owned(), "?", "cannot be read: `skrei profile show` says why".to_owned()),
            };
            let mark = if is_selected { "*" } else { "" };
            table.row([mark, name.as_str(), endpoint.as_str(), auth, description.as_str()]);
            items.push(json!({
                "Current": is_selected, "Name": name, "Endpoint": endpoint, "Auth": auth, "Description": description,
            }));
        }
        if table.is_empty() {
            terminal::note("No profiles. `skrei profile save NAME --endpoint URL` makes one.");
        }
        self.format.show(&table, &items)?;
        Ok(exit::SUCCESS)
    }
}

impl Show {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let profiles = profiles(globals)?;
        let name = self.name.or_else(|| profiles.selected()).ok_or_else(|| {
            Error::not_found("no profile is selected").hint("name one, or `skrei profile select NAME`")
        })?;
        let profile = profiles.get(&name)?;
        let shown = shown(&profile, self.show_token);
        terminal::data(&self.format.document_or_yaml(&shown)?)?;
        Ok(exit::SUCCESS)
    }
}

fn shown(profile: &Profile, with_secrets: bool) -> Value {
    let mut shown = json!({
        "Name": profile.name,
        "Description": profile.description,
        "Endpoint": profile.endpoint(),
        "Auth": profile.shows(),
        "File": profile.path,
    });
    for (key, value) in &profile.values {
        let masked = value.shown(key);
        let text = if with_secrets { profile.text(key.name).unwrap_or(masked) } else { masked };
        shown[key.name] = text.into();
    }
    shown
}

impl Select {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        profiles(globals)?.select(&self.name)?;
        terminal::note(&format!("Commands use profile {} from now on.", self.name));
        Ok(exit::SUCCESS)
    }
}

impl Delete {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let profiles = profiles(globals)?;
        if profiles.selected().as_ref() == Some(&self.name) && !self.force {
            return Err(Error::refused(format!("profile `{}` is the selected one", self.name))
                .hint("select another first, or add --force"));
        }
        profiles.delete(&self.name)?;
        terminal::note(&format!("Profile {} is gone.", self.name));
        Ok(exit::SUCCESS)
    }
}
