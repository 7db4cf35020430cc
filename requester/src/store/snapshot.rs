//! What is still going on, for a scheduler that starts.

use skrei_ledger::rusqlite::{Connection, Result};
use skrei_scheduler::Snapshot;

use super::{Error, Position, Store, executions, jobs, nodes, row};

impl Store {
    /// Everything the scheduler needs, and the position of the log it stands for; on the calling thread.
    pub(crate) fn snapshot(&self) -> std::result::Result<(Position, Snapshot), Error> {
        self.ledger.read_blocking(|connection| {
            // One read transaction, so that position and rows belong together.
            let transaction = connection.unchecked_transaction()?;
            let position = transaction
                .query_row("SELECT position FROM log", (), |row| row.get::<_, i64>(0))
                .map(row::unsigned)?;
            Ok((position, snapshot(&transaction)?))
        })
    }
}

fn snapshot(connection: &Connection) -> Result<Snapshot> {
    let mut snapshot = Snapshot { nodes: nodes::all(connection)?, ..Snapshot::default() };
    for job in jobs::live(connection)? {
        let id = job.id.clone();
        let Some(job) = job.into_job() else {
            tracing::error!(job = %id, "a stored job does not pass the checks of this version and is left alone");
            continue;
        };
        snapshot.executions.extend(executions::of_job(connection, &id, 0)?);
        snapshot.jobs.push(job);
    }
    Ok(snapshot)
}
