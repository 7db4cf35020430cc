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
        table::{Mood, Table},
        time,
    },
};

/// Everything that happened to a job, in order.
#[derive(Debug, Args)]
pub(crate) struct History {
    #[command(flatten)]
    which: Which,
}

impl History {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let mut table = Table::new(&["time", "version", "exec. id", "topic", "event"]);
        let mut token = String::new();
        loop {
            let page = client.history(&self.which.job, &token).await?;
            for entry in &page.items {
                let mood = if entry.event.is_error() { Mood::Bad } else { Mood::Plain };
                table.moody_row([
                    (time::date_of(&entry.time).as_str(), Mood::Plain),
                    (entry.job_version.to_string().as_str(), Mood::Plain),
                    (ExecutionId::new(entry.execution_id.as_str()).short(), Mood::Plain),
                    (entry.event.topic.as_str(), Mood::Plain),
                    (entry.event.message.as_str(), mood),
                ]);
            }
            // A job that goes on always has a next page; an empty one is the end for now.
            if page.items.is_empty() || page.next_token.is_empty() || page.next_token == token {
                break;
            }
            token = page.next_token;
        }
        table.show()?;
        Ok(exit::SUCCESS)
    }
}
