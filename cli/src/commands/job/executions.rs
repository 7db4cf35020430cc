//! `skrei job executions`.

use clap::Args;
use skrei_job::ExecutionId;
use skrei_protocol::{
    api::execution::{compute_state, desired_state},
    client::Selection,
};

use super::{Version, Which};
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    follow::outcomes,
    terminal::{
        format::ListFormat,
        table::{Mood, Table},
        time,
    },
};

/// A job's executions: one line per attempt on a node.
#[derive(Debug, Args)]
pub(crate) struct Executions {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    version: Version,
    /// Of every version
    #[arg(long, conflicts_with = "number")]
    all_versions: bool,
    /// At most so many [default: all]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    limit: u32,
    /// By what they are ordered: `created_at` or `modified_at`
    #[arg(long, value_name = "FIELD", default_value = "", hide_default_value = true)]
    order_by: String,
    /// The other way round
    #[arg(long)]
    order_reversed: bool,
    #[command(flatten)]
    format: ListFormat,
}

impl Executions {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let selection = Selection {
            version: self.version.number,
            all_versions: self.all_versions,
            limit: self.limit,
            order_by: self.order_by.clone(),
            reverse: self.order_reversed,
            ..Selection::default()
        };
        let job = self.which.resolve(&client).await?;
        let page = client.selected_executions(&job, &selection).await?;
        let mut table = Table::new(&["created", "modified", "id", "node", "rev.", "state", "desired"]);
        for execution in &page.items {
            let id = ExecutionId::new(execution.id.as_str());
            let state = execution.compute_state.state_type;
            table.moody_row([
                (time::date(execution.create_time).as_str(), Mood::Plain),
                (time::date(execution.modify_time).as_str(), Mood::Plain),
                (if self.format.wide { id.as_str() } else { id.short() }, Mood::Plain),
                (execution.node_id.as_str(), Mood::Plain),
                (execution.revision.to_string().as_str(), Mood::Plain),
                (compute_state::word(state), outcomes::mood(state)),
                (desired_state::word(execution.desired_state.state_type), Mood::Plain),
            ]);
        }
        self.format.show(&table, &page.items)?;
        Ok(exit::SUCCESS)
    }
}
