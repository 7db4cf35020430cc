//! Ctrl+C while a job is watched: the job goes on, and a second one soon after offers to stop it.

use std::{
    io::{self, BufRead as _, IsTerminal as _},
    time::Duration,
};

use skrei_protocol::client::Client;
use tokio::signal::unix::Signal;

use super::following::come_back;
use crate::{error::Error, exit, terminal};

/// Within this time a second Ctrl+C is one of somebody who means the job.
const AGAIN_WITHIN: Duration = Duration::from_secs(2);

/// What the job's history says of it.
const REASON: &str = "stopped by whoever watched it";

/// Leaves a job alone, unless its watcher insists.
///
/// # Errors
/// The job was to be stopped, and the orchestrator does not do it.
pub(super) async fn leave(client: &Client, id: &str, interrupts: &mut Signal) -> Result<u8, Error> {
    terminal::note(&format!("\nNot watching any more; the job goes on.\n{}", come_back(id)));
    if !can_be_asked() {
        return Ok(exit::INTERRUPTED);
    }
    terminal::note("\nCtrl+C again to stop the job.");
    if tokio::time::timeout(AGAIN_WITHIN, interrupts.recv()).await.is_err() {
        return Ok(exit::INTERRUPTED);
    }
    terminal::note("\nStop it on every node? [y/N]");
    let is_meant = tokio::select! {
        answer = tokio::task::spawn_blocking(answer) => answer.unwrap_or(false),
        _ = interrupts.recv() => false,
    };
    if is_meant {
        client.stop(id, Some(REASON.to_owned())).await?;
        terminal::note(&format!("Stopped.\n  skrei job describe {id}"));
    } else {
        terminal::note("The job goes on.");
    }
    Ok(exit::INTERRUPTED)
}

fn can_be_asked() -> bool {
    io::stdin().is_terminal() && terminal::is_watched()
}

fn answer() -> bool {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}
