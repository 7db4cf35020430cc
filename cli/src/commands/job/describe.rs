//! `skrei job describe`.

use clap::Args;
use skrei_protocol::api::job::GetJobResponse;

use super::{Which, rollout};
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    follow::outcomes,
    secret,
    terminal::{
        self,
        format::ItemFormat,
        style,
        table::{Mood, Table},
        time,
    },
};

/// What a job is, where it stands, and what each node did.
#[derive(Debug, Args)]
pub(crate) struct Describe {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    format: ItemFormat,
}

impl Describe {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let answer = client(globals)?.job(&self.which.job, "executions,progress").await?;
        match self.format.document(&answer.job)? {
            Some(document) => terminal::data(&document)?,
            None => show(&answer)?,
        }
        Ok(exit::SUCCESS)
    }
}

fn show(answer: &GetJobResponse) -> Result<(), Error> {
    let style = style::stdout();
    let job = &answer.job;
    let version = job.version.to_string();
    let lines = [
        ("ID", job.id.as_str()),
        ("Name", &job.manifest.name),
        ("Namespace", &job.manifest.namespace),
        ("Type", &job.manifest.kind),
        ("State", job.state.state_type.as_str()),
        ("Message", &job.state.message),
        ("Created", &time::date(job.create_time)),
        ("Modified", &time::date(job.modify_time)),
        ("Version", &version),
    ];
    for (name, value) in lines.into_iter().filter(|(_, value)| !value.is_empty()) {
        terminal::data(&format!("{}  {value}", style.bold(&format!("{name:<9}"))))?;
    }
    let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
    if let Some(progress) = answer.progress.as_ref().filter(|progress| progress.is_of_several()) {
        let mut progress = progress.clone();
        // What there is to say of those that have an execution follows below.
        progress.nodes.retain(|node, _| executions.iter().all(|execution| execution.node_id != *node));
        rollout::show(&progress)?;
    }
    if !executions.is_empty() {
        terminal::data(&format!("\n{}", style.bold("Nodes")))?;
        outcomes::table(executions).show()?;
    }
    let values = outcomes::values(executions);
    if !values.is_empty() {
        terminal::data(&format!("\n{}", style.bold("Values")))?;
        let mut table = Table::new(&["node", "key", "value"]);
        for (node, key, value) in &values {
            table.moody_row([node, key, value].map(|text| (text.as_str(), Mood::Plain)));
        }
        table.show()?;
    }
    for (node, output) in outcomes::outputs(executions) {
        terminal::data(&format!(
            "\n{}\n{}",
            style.bold(&format!("Output of {node}")),
            secret::shown(output.trim_end())
        ))?;
    }
    Ok(())
}
