//! `skrei audit`.

use clap::{Args, Subcommand};
use skrei_protocol::api::audit::AuditEntry;

use super::client;
use crate::{
    cli::Globals,
    error::Error,
    exit,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
        time,
    },
};

/// See who changed what.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every call that was to change something, newest first
    List(List),
}

/// Every call that was to change something, newest first: who, what, when, from where, and how it ended. Takes `*` or
/// `read:audit`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Of this user alone
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    user: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Go on after an earlier list
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    next_token: String,
    #[command(flatten)]
    format: ListFormat,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::List(list) => list.run(globals).await,
        }
    }
}

impl List {
    async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let page = client(globals)?.audit(&self.user, 0, self.limit, &self.next_token).await?;
        let mut table = Table::new(&["time", "user", "by", "from", "action", "about", "status"]);
        for entry in &page.items {
            row(&mut table, entry);
        }
        self.format.show(&table, &page.items)?;
        if !page.next_token.is_empty() {
            terminal::note(&format!("There is more: skrei audit list --next-token {}", page.next_token));
        }
        Ok(exit::SUCCESS)
    }
}

fn row(table: &mut Table, entry: &AuditEntry) {
    let about = if entry.subject.is_empty() { entry.path.as_str() } else { entry.subject.as_str() };
    let (status, mood) = match entry.status {
        0 => ("none".to_owned(), Mood::Open),
        status @ 200..300 => (status.to_string(), Mood::Good),
        status => (status.to_string(), Mood::Bad),
    };
    table.moody_row([
        (time::date_of(&entry.time).as_str(), Mood::Plain),
        (entry.user.as_str(), Mood::Plain),
        (entry.method.as_str(), Mood::Plain),
        (entry.from.as_str(), Mood::Plain),
        (entry.action.as_str(), Mood::Plain),
        (about, Mood::Plain),
        (status.as_str(), mood),
    ]);
}
