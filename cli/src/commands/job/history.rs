//! `skrei job history`.

use clap::{Args, ValueEnum};
use skrei_job::ExecutionId;
use skrei_protocol::client::Selection;

use super::{Version, Which};
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
        time,
    },
};

/// Everything that happened to a job, in order.
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    version: Version,
    /// Of every version
    #[arg(long, conflicts_with = "number")]
    all_versions: bool,
    /// Only what happened to the job itself, or to its executions
    #[arg(long, value_name = "TYPE", value_enum, default_value_t = EventType::All)]
    event_type: EventType,
    /// Only of this execution
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    execution_id: String,
    /// At most so many, and how to go on [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Where the previous page ended
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    next_token: String,
    #[command(flatten)]
    format: ListFormat,
}

/// What events are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EventType {
    All,
    Job,
    Execution,
}

impl EventType {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Job => "job",
            Self::Execution => "execution",
        }
    }
}

impl History {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let mut table = Table::new(&["time", "version", "exec. id", "topic", "event"]);
        let job = self.which.resolve(&client).await?;
        let mut selection = Selection {
            version: self.version.number,
            all_versions: self.all_versions,
            event_type: self.event_type.as_str().to_owned(),
            execution: self.execution_id.clone(),
            limit: self.limit.unwrap_or_default(),
            next_token: self.next_token.clone(),
            ..Selection::default()
        };
        let mut entries = Vec::new();
        loop {
            let page = client.selected_history(&job, &selection).await?;
            for entry in &page.items {
                let mood = if entry.event.is_error() { Mood::Bad } else { Mood::Plain };
                table.moody_row([
                    (time::date_of(&entry.time).as_str(), Mood::Plain),
                    (entry.job_version.to_string().as_str(), Mood::Plain),
                    (self.id(&ExecutionId::new(entry.execution_id.as_str())), Mood::Plain),
                    (entry.event.topic.as_str(), Mood::Plain),
                    (entry.event.message.as_str(), mood),
                ]);
            }
            // A job that goes on always has a next page; an empty one is the end for now.
            let is_last = page.items.is_empty()
                || page.next_token.is_empty()
                || page.next_token == selection.next_token;
            entries.extend(page.items);
            selection.next_token = page.next_token;
            if is_last || self.limit.is_some() {
                break;
            }
        }
        self.format.show(&table, &entries)?;
        if self.limit.is_some() && !entries.is_empty() && !selection.next_token.is_empty() {
            terminal::note(&format!("What comes after: --next-token {}", selection.next_token));
        }
        Ok(exit::SUCCESS)
    }

    fn id<'a>(&self, execution: &'a ExecutionId) -> &'a str {
        if self.format.wide { execution.as_str() } else { execution.short() }
    }
}
