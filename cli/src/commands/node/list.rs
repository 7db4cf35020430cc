//! `skrei node list`.

use clap::{Args, ValueEnum};
use skrei_job::resources::bytes;
use skrei_protocol::{api::node::NodeState, client::Selection};

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
    /// Which columns, besides those that say who it is and how it does
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',', default_value = "labels,capacity")]
    show: Vec<Show>,
    /// Only those that are `approved`, `pending` or `rejected`
    #[arg(long, value_name = "APPROVAL", value_parser = ["approved", "pending", "rejected"])]
    filter_approval: Option<String>,
    /// Only those that are `connected` or `disconnected`
    #[arg(long, value_name = "STATUS", value_parser = ["connected", "disconnected"])]
    filter_status: Option<String>,
    /// At most so many [default: all]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    limit: u32,
    /// By what they are ordered
    #[arg(long, value_name = "FIELD", default_value = "id",
          value_parser = ["id", "type", "available_cpu", "available_memory", "available_disk", "available_gpu", "approval",
                          "status"])]
    order_by: String,
    /// The other way round
    #[arg(long)]
    order_reversed: bool,
    #[command(flatten)]
    format: ListFormat,
}

/// Groups of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Show {
    Labels,
    Version,
    Features,
    Capacity,
}

impl Show {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Labels => &["labels"],
            Self::Version => &["version", "architecture", "os"],
            Self::Features => &["engines", "inputs from", "outputs"],
            Self::Capacity => &["cpu", "memory", "disk"],
        }
    }

    fn cells(self, node: &NodeState) -> Vec<String> {
        let NodeState { info, .. } = node;
        let compute = &info.compute_node_info;
        match self {
            Self::Labels => {
                let labels = info.labels.iter().map(|(name, value)| format!("{name}={value}"));
                vec![labels.collect::<Vec<_>>().join(" ")]
            }
            Self::Version => {
                let build = &info.bacalhau_version;
                vec![build.git_version.clone(), build.arch.clone(), build.os.clone()]
            }
            Self::Features => [&compute.execution_engines, &compute.storage_sources, &compute.publishers]
                .map(|list| list.join(" "))
                .to_vec(),
            Self::Capacity => {
                let (free, all) = (&compute.available_capacity, &compute.max_capacity);
                let amount = |free, all| format!("{} / {}", bytes(free), bytes(all));
                vec![
                    format!("{:.1} / {:.1}", free.cpu, all.cpu),
                    amount(free.memory, all.memory),
                    amount(free.disk, all.disk),
                ]
            }
        }
    }
}

impl List {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let selection = Selection {
            labels: self.labels.clone(),
            approval: self.filter_approval.clone().unwrap_or_default(),
            status: self.filter_status.clone().unwrap_or_default(),
            limit: self.limit,
            order_by: self.order_by.clone(),
            reverse: self.order_reversed,
            ..Selection::default()
        };
        let nodes = client(globals)?.selected_nodes(&selection).await?;
        let columns = ["id", "type", "approval", "status"].into_iter();
        let columns: Vec<_> =
            columns.chain(self.show.iter().flat_map(|show| show.columns()).copied()).collect();
        let mut table = Table::new(&columns);
        for node in &nodes {
            self.row(&mut table, node);
        }
        if table.is_empty() {
            terminal::note("No nodes. Start one with `skrei serve --compute`.");
        }
        self.format.show(&table, &nodes)?;
        Ok(exit::SUCCESS)
    }

    fn row(&self, table: &mut Table, node: &NodeState) {
        let NodeState { info, membership, connection, .. } = node;
        let mut status =
            match (node.cordoned, node.drain.is_empty(), info.compute_node_info.running_executions) {
                (false, ..) => connection.clone(),
                (true, true, _) => format!("{connection}, cordoned"),
                (true, false, 0) => format!("{connection}, drained"),
                (true, false, _) => format!("{connection}, draining"),
            };
        if !node.unwell.is_empty() {
            status = format!("{status}, unwell: {}", node.unwell);
        }
        let does_well = connection == "CONNECTED" && node.unwell.is_empty();
        let mood = if does_well { Mood::Good } else { Mood::Bad };
        let more: Vec<String> = self.show.iter().flat_map(|show| show.cells(node)).collect();
        let first = [
            (info.node_id.as_str(), Mood::Plain),
            (info.node_type.as_str(), Mood::Plain),
            (membership.as_str(), Mood::Plain),
            (status.as_str(), mood),
        ];
        table.moody_row(first.into_iter().chain(more.iter().map(|cell| (cell.as_str(), Mood::Plain))));
    }
}
