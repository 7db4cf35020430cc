//! `skrei job describe`.

use clap::Args;
use skrei_protocol::{
    api::{
        job::{GetJobResponse, Job},
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
        style::{self, Style},
        table::{Look, Mood, Table},
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
                terminal::data(&text(&answer, &grants, Look::of_stdout(), style::stdout()))?;
            }
        }
        Ok(exit::SUCCESS)
    }
}

/// Everything that is to be said, for a person.
fn text(answer: &GetJobResponse, grants: &[Grant], look: Look, style: Style) -> String {
    let mut parts = vec![head(&answer.job, style)];
    if !grants.is_empty() {
        parts.push(secrets(grants, style));
    }
    let executions = answer.executions.as_ref().map_or(&[][..], |list| &list.items);
    if let Some(progress) = answer.progress.as_ref().filter(|progress| progress.is_of_several()) {
        let mut progress = progress.clone();
        // What there is to say of those that have an execution follows below.
        progress.nodes.retain(|node, _| executions.iter().all(|execution| execution.node_id != *node));
        // Right below the head.
        parts[0] += &rollout::text(&progress, look, style);
    }
    if !executions.is_empty() {
        parts.push(format!("{}\n{}", style.bold("Nodes"), outcomes::table(executions).text(look)));
    }
    let values = outcomes::values(executions);
    if !values.is_empty() {
        let mut table = Table::new(&["node", "key", "value"]);
        for (node, key, value) in &values {
            table.moody_row([node, key, value].map(|text| (text.as_str(), Mood::Plain)));
        }
        parts.push(format!("{}\n{}", style.bold("Values"), table.text(look)));
    }
    for (node, output) in outcomes::outputs(executions) {
        let heading = style.bold(&format!("Output of {node}"));
        parts.push(format!("{heading}\n{}\n", secret::shown(output.trim_end())));
    }
    parts.join("\n")
}

/// What the job is, and where it stands.
fn head(job: &Job, style: Style) -> String {
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
    let said = lines.into_iter().filter(|(_, value)| !value.is_empty());
    said.map(|(name, value)| format!("{}  {value}\n", style.bold(&format!("{name:<9}")))).collect()
}

fn secrets(grants: &[Grant], style: Style) -> String {
    let mut text = format!("{}\n", style.bold("Secrets"));
    for grant in grants {
        text += &format!("  {}\n", stands_for(grant));
    }
    for grant in grants.iter().filter(|grant| !grant.waiting.is_empty()) {
        text += &format!(
            "  {}: waiting until {} is sealed to it (skrei secret seal FILE --secret {}=@FILE)\n",
            grant.waiting.join(", "),
            grant.name,
            grant.name
        );
    }
    text
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

#[cfg(test)]
mod tests;
