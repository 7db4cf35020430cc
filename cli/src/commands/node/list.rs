//! `skrei node list`.

use clap::Args;
use skrei_job::resources::bytes;
use skrei_protocol::api::node::NodeState;

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
    },
};

/// All nodes, with what they have to give.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only nodes whose labels match: `zone=eu,rack in (1,2)`
    #[arg(long, value_name = "SELECTOR", default_value = "", hide_default_value = true)]
    labels: String,
    #[command(flatten)]
    format: ListFormat,
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let mut nodes = client(globals)?.nodes(&self.labels).await?;
        nodes.sort_by(|one, other| one.info.node_id.cmp(&other.info.node_id));
        let mut table = Table::new(&["id", "type", "approval", "status", "labels", "cpu", "memory"]);
        for node in &nodes {
            row(&mut table, node);
        }
        if table.is_empty() {
            terminal::note("No nodes. Start one with `skrei serve --compute`.");
        }
        self.format.show(&table, &nodes)?;
        Ok(exit::SUCCESS)
    }
}

fn row(table: &mut Table, node: &NodeState) {
    let NodeState { info, membership, connection, .. } = node;
    let status = match (node.cordoned, node.drain.is_empty(), info.compute_node_info.running_executions) {
        (false, ..) => connection.clone(),
        (true, true, _) => format!("{connection}, cordoned"),
        (true, false, 0) => format!("{connection}, drained"),
        (true, false, _) => format!("{connection}, draining"),
    };
    let labels: Vec<_> = info.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (free, all) = (&info.compute_node_info.available_capacity, &info.compute_node_info.max_capacity);
    let mood = if connection == "CONNECTED" { Mood::Good } else { Mood::Bad };
    table.moody_row([
        (info.node_id.as_str(), Mood::Plain),
        (info.node_type.as_str(), Mood::Plain),
        (membership.as_str(), Mood::Plain),
        (status.as_str(), mood),
        (labels.join(" ").as_str(), Mood::Plain),
        (format!("{:.1} / {:.1}", free.cpu, all.cpu).as_str(), Mood::Plain),
        (format!("{} / {}", bytes(free.memory), bytes(all.memory)).as_str(), Mood::Plain),
    ]);
}
