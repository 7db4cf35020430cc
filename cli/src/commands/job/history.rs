//! `skrei job history`.

use clap::Args;
use skrei_job::ExecutionId;

use super::Which;
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{
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
    format: ListFormat,
}

impl History {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let mut table = Table::new(&["time", "version", "exec. id", "topic", "event"]);
        let (mut entries, mut token) = (Vec::new(), String::new());
        loop {
            let page = client.history(&self.which.job, &token).await?;
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
            let is_last = page.items.is_empty() || page.next_token.is_empty() || page.next_token == token;
            entries.extend(page.items);
            if is_last {
                break;
            }
            token = page.next_token;
        }
        self.format.show(&table, &entries)?;
        Ok(exit::SUCCESS)
    }

    fn id<'a>(&self, execution: &'a ExecutionId) -> &'a str {
        if self.format.wide { execution.as_str() } else { execution.short() }
    }
}
