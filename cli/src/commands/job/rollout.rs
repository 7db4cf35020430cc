//! `skrei job rollout`: how far a job has come over its fleet, and steering it there.

use clap::{Args, Subcommand};
use skrei_protocol::api::rollout::{Action, Progress};

use super::Which;
use crate::{
    cli::Globals,
    commands::client,
    error::Error,
    exit,
    terminal::{
        self,
        format::ItemFormat,
        style::{self, Style},
        table::{Look, Table},
        time,
    },
};

/// See how far a job has come over its fleet; pause it, go on, or give the rest up.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// How many nodes are done, and why the others are not
    Status(Status),
    /// Start nothing new for now; what is under way goes on
    Pause(Steer),
    /// Go on with what is left, whatever failed so far
    Resume(Steer),
    /// Start nothing new any more; what is under way ends as it does
    Abort(Steer),
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    format: ItemFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Steer {
    #[command(flatten)]
    which: Which,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let client = client(globals)?;
        let (steer, action) = match self {
            Self::Status(status) => {
                let progress = client.progress(&status.which.resolve(&client).await?).await?;
                match status.format.document(&progress)? {
                    Some(document) => terminal::data(&document)?,
                    None => show(&progress)?,
                }
                return Ok(exit::SUCCESS);
            }
            Self::Pause(steer) => (steer, Action::Pause),
            Self::Resume(steer) => (steer, Action::Resume),
            Self::Abort(steer) => (steer, Action::Abort),
        };
        show(&client.steer(&steer.which.resolve(&client).await?, action).await?)?;
        Ok(exit::SUCCESS)
    }
}

/// One line with the numbers, one with what holds the roll-out up, and one for each node that is not done.
pub(super) fn text(progress: &Progress, look: Look, style: Style) -> String {
    let mut text = format!("{}  {}\n", style.bold("Progress "), progress.summary());
    if !progress.reason.is_empty() {
        let until = progress.until.map(|until| format!(", until {}", time::date(until))).unwrap_or_default();
        let Progress { phase, reason, .. } = progress;
        text += &format!("{}  {phase}: {reason}{until}\n", style.bold("Roll-out "));
    }
    if !progress.nodes.is_empty() {
        let mut table = Table::new(&["node", "why it is not done"]);
        for (node, why) in &progress.nodes {
            table.row([node.as_str(), why.as_str()]);
        }
        text += &format!("\n{}", table.text(look));
    }
    text
}

fn show(progress: &Progress) -> Result<(), Error> {
    Ok(terminal::data(&text(progress, Look::of_stdout(), style::stdout()))?)
}
