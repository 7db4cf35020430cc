//! `skrei node token`: what lets nodes join.

use std::time::Duration;

use clap::{Args, Subcommand};
use skrei_protocol::api::token::PostTokenRequest;

use crate::{
    cli::Globals,
    commands::client,
    config::value,
    error::Error,
    exit,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
    },
};

/// What lets nodes join.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a token and print it; it cannot be seen again
    Create(Create),
    /// All tokens, without what lets anybody in
    List(List),
    /// Let nobody in with a token any more; nodes that joined with it stay
    Revoke(Revoke),
}

#[derive(Debug, Args)]
#[command(
    after_help = "On the node: skrei serve --compute -c Compute.Orchestrators=HOST:4222 -c Compute.Auth.Token=TOKEN"
)]
pub(crate) struct Create {
    /// How long it lets nodes in; 0: without end
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = value::duration)]
    expires: Duration,
    /// How many nodes it lets in; 0: any number
    #[arg(long, value_name = "N", default_value_t = 0)]
    uses: u64,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// Its id, as listed
    #[arg(value_name = "ID")]
    id: String,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        match self {
            Self::Create(Create { expires, uses, note }) => {
                // What is shorter than a second is not without end.
                let lifetime = if expires.is_zero() { 0 } else { expires.as_secs().max(1) };
                let made = client.make_token(&PostTokenRequest { lifetime, uses, note }).await?;
                terminal::data(&made.token)?;
            }
            Self::List(List { format }) => {
                let tokens = client.tokens().await?;
                let mut table = Table::new(&["id", "state", "used", "made", "expires", "note"]);
                for token in &tokens {
                    let mood = if token.state == "valid" { Mood::Good } else { Mood::Plain };
                    let used = match token.uses {
                        0 => token.used.to_string(),
                        uses => format!("{} of {uses}", token.used),
                    };
                    table.moody_row([
                        (token.id.as_str(), Mood::Plain),
                        (token.state.as_str(), mood),
                        (used.as_str(), Mood::Plain),
                        (token.made.as_str(), Mood::Plain),
                        (if token.expires.is_empty() { "never" } else { &token.expires }, Mood::Plain),
                        (token.note.as_str(), Mood::Plain),
                    ]);
                }
                format.show(&table, &tokens)?;
            }
            Self::Revoke(Revoke { id }) => {
                client.revoke_token(&id).await?;
                terminal::note(&format!("Token {id} lets nobody in any more."));
            }
        }
        Ok(exit::SUCCESS)
    }
}
