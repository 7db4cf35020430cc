//! `skrei job describe`.

use clap::Args;
use skrei_protocol::{
    api::{
        job::GetJobResponse,
        secret::{Grant, Origin},
    },
    client::Selection,
};

use super::{Version, Which, rollout};
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
    version: Version,
    #[command(flatten)]
    format: ItemFormat,
}

impl Describe {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let selection = Selection { version: self.version.number, ..Selection::default() };
        let job = self.which.resolve(&client).await?;
        let answer = client.selected_job(&job, "executions,progress", &selection).await?;
        match self.format.document(&answer.job)? {
            Some(document) => terminal::data(&document)?,
            None => {
                let grants = match answer.job.manifest.names_secrets() {
                    true => client.grants(&answer.job.id).await?,
                    false => Vec::new(),
                };
                show(&answer, &grants)?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

fn show(answer: &GetJobResponse, grants: &[Grant]) -> Result<(), Error> {
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
    if !grants.is_empty() {
        terminal::data(&format!("\n{}", style.bold("Secrets")))?;
        grants.iter().try_for_each(|grant| terminal::data(&format!("  {}", stands_for(grant))))?;
        for grant in grants.iter().filter(|grant| !grant.waiting.is_empty()) {
            let nodes = grant.waiting.join(", ");
            terminal::data(&format!(
                "  {nodes}: waiting until {} is sealed to it (skrei secret seal FILE --secret {}=@FILE)",
                grant.name, grant.name
            ))?;
        }
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

/// What is shown in the place of a secret.
fn stands_for(grant: &Grant) -> String {
    let Grant { name, fingerprint, .. } = grant;
    let since = time::ago(grant.set_time);
    match (grant.removed.as_str(), grant.origin) {
        ("", Origin::Given) => {
            format!("secret:{name} (fingerprint {fingerprint}, given with the job {since})")
        }
        ("", Origin::Stored) => format!("secret:{name} (fingerprint {fingerprint}, set {since})"),
        ("", Origin::Sealed) => {
            format!(
                "secret:{name} (sealed to {} when the job was given {since})",
                grant.sealed_for.join(", ")
            )
        }
        (removed, Origin::Sealed) => {
            format!("secret:{name} (sealed to nodes, given with the job {since}, {removed})")
        }
        (removed, Origin::Given) => {
            format!("secret:{name} (fingerprint {fingerprint}, given with the job {since}, {removed})")
        }
        (removed, Origin::Stored) => format!("secret:{name} ({removed})"),
    }
}
