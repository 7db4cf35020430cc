//! `skrei job logs`.

use clap::Args;
use skrei_protocol::client::LogQuery;

use super::Which;
use crate::{cli::Globals, commands::client, error::Error, exit, follow::logs};

/// What a job's guest wrote to standard output and standard error.
#[derive(Debug, Args)]
pub(crate) struct Logs {
    #[command(flatten)]
    which: Which,
    /// Of this execution; without it, of the newest one that counts
    #[arg(short = 'e', long, value_name = "ID", default_value = "", hide_default_value = true)]
    execution_id: String,
    /// Go on until the execution ends
    #[arg(short, long)]
    follow: bool,
    /// Begin with what is written from now on
    #[arg(short, long)]
    tail: bool,
}

impl Logs {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let query = LogQuery { execution: self.execution_id, follow: self.follow, tail: self.tail };
        let client = client(globals)?;
        let reading = logs::copy(&client, &self.which.job, &query, None);
        tokio::select! {
            read = reading => read.map(|()| exit::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(exit::INTERRUPTED),
        }
    }
}
