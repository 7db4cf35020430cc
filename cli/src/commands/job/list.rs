//! `skrei job list`.

use clap::{Args, ValueEnum};
use skrei_job::{JobId, life::JobState};
use skrei_protocol::client::Selection;

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
    /// By what they are ordered: by times the newest first
    #[arg(long, value_name = "FIELD", value_enum, default_value_t = Order::CreatedAt)]
    order_by: Order,
    /// The other way round
    #[arg(long)]
    order_reversed: bool,
    /// Of this namespace; `*` is every one [default: default]
    #[arg(long, value_name = "NAMESPACE", default_value = "", hide_default_value = true)]
    namespace: String,
    #[command(flatten)]
    format: ListFormat,
}

/// By what jobs are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    #[value(name = "created_at")]
    CreatedAt,
    #[value(name = "modified_at")]
    ModifiedAt,
    Id,
}

impl Order {
    fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::ModifiedAt => "modified_at",
            Self::Id => "id",
        }
    }
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let mut selection = Selection {
            labels: self.labels.clone(),
            limit: self.limit,
            next_token: self.next_token.clone(),
            order_by: self.order_by.as_str().to_owned(),
            reverse: (self.order_by != Order::Id) != self.order_reversed,
            namespace: self.namespace.clone(),
            ..Selection::default()
        };
        let mut page = client.selected_jobs(&selection).await?;
        // Where few jobs match, a page may end before the first of them is found.
        while page.items.is_empty() && !page.next_token.is_empty() {
            selection.next_token = page.next_token;
            page = client.selected_jobs(&selection).await?;
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
