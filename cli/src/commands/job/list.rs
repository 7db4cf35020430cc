//! `skrei job list`.

use clap::Args;
use skrei_job::{JobId, life::JobState};

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

/// All jobs, the newest first.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only jobs whose labels match: `team=web`
    #[arg(long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    labels: String,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: u32,
    /// Where the previous page ended
    #[arg(long, value_name = "TOKEN", default_value = "", hide_default_value = true)]
    next_token: String,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let mut page = client.jobs(&self.labels, self.limit, &self.next_token).await?;
        // Where few jobs match, a page may end before the first of them is found.
        while page.items.is_empty() && !page.next_token.is_empty() {
            page = client.jobs(&self.labels, self.limit, &page.next_token).await?;
        }
        let mut table = Table::new(&["created", "id", "name", "type", "state"]);
        for job in &page.items {
            let id = JobId::new(job.id.as_str());
            table.moody_row([
                (time::date(job.create_time).as_str(), Mood::Plain),
                (if self.format.wide { id.as_str() } else { id.short() }, Mood::Plain),
                (job.manifest.name.as_str(), Mood::Plain),
                (job.manifest.kind.as_str(), Mood::Plain),
                (job.state.state_type.as_str(), mood(job.state.state_type)),
            ]);
        }
        self.format.show(&table, &page.items)?;
        if table.is_empty() {
            terminal::note("No jobs. Submit one with `skrei job run FILE`.");
        } else if !page.next_token.is_empty() {
            terminal::note(&format!("More: skrei job list --next-token {}", page.next_token));
        }
        Ok(exit::SUCCESS)
    }
}

/// How good or bad a job's state is.
pub(super) fn mood(state: JobState) -> Mood {
    match state {
        JobState::Completed => Mood::Good,
        JobState::Failed | JobState::Stopped => Mood::Bad,
        JobState::Pending | JobState::Queued | JobState::Running => Mood::Open,
    }
}
