//! `skrei job plan`.

use clap::Args;
use skrei_protocol::api::plan::PlannedMount;

use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    given_secret::GivenSecret,
    job_file,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
    },
};

/// Show which nodes would run a job file now, with which host paths, and why each other would not. Nothing is submitted.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    file: job_file::Args,
    /// A secret that would be given with the job, as for `job run`; its value is neither read nor sent
    #[arg(long = "secret", value_name = "NAME=SOURCE")]
    secrets: Vec<String>,
    /// As `job run --seal-to-nodes` would submit it: without the orchestrator's defaults
    #[arg(long)]
    seal_to_nodes: bool,
    #[command(flatten)]
    format: ListFormat,
}

impl Plan {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let secrets = GivenSecret::names(&self.secrets)?;
        let checked = self.file.read()?.check()?;
        checked.warnings.iter().for_each(|warning| terminal::warn(warning));
        let client = client(globals)?;
        let planned = client.plan(&checked.manifest, &secrets, self.seal_to_nodes).await?;
        terminal::warn_others(&checked.warnings, planned.warnings);
        let nodes = planned.nodes;
        let mut table = Table::new(&["node", "would run it", "host paths, or why not"]);
        for node in &nodes {
            let (answer, mood) =
                if node.reasons.is_empty() { ("yes", Mood::Good) } else { ("no", Mood::Bad) };
            let mounts = node.mounts.iter().map(mount).collect::<Vec<_>>().join(", ");
            let more = if node.reasons.is_empty() { mounts } else { node.reasons.join("; ") };
            table.moody_row([(node.node_id.as_str(), Mood::Plain), (answer, mood), (&more, Mood::Plain)]);
        }
        self.format.show(&table, &nodes)?;
        let fitting = nodes.iter().filter(|node| node.reasons.is_empty()).count();
        terminal::note(&format!("{fitting} of {} nodes.", nodes.len()));
        Ok(exit::SUCCESS)
    }
}

/// `/srv/ssl at /etc/nginx/ssl (rw)`, or the path alone where the guest finds it under the same.
fn mount(PlannedMount { path, target, mode }: &PlannedMount) -> String {
    if path == target { format!("{path} ({mode})") } else { format!("{path} at {target} ({mode})") }
}
