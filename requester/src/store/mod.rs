//! The durable store: a log of records, and a read model of what they add up to, in one SQLite file.
//!
//! The seam is narrow on purpose: [`Store::append`] a batch at an expected position, [`Store::snapshot`] what is
//! still going on, and query the read model. Who may join and who has ([`Store::join`]) is kept beside the log: no
//! decision of the scheduler depends on it. Nothing outside this module may assume that one process owns it.

mod append;
mod audit;
mod executions;
mod grants;
mod history;
mod housekeeping;
mod identities;
mod jobs;
mod listing;
mod locked;
mod nodes;
mod reader;
mod results;
mod row;
mod secrets;
mod snapshot;
mod tokens;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicU64},
};

use skrei_ledger::{Committed, Ledger, rusqlite};
use skrei_scheduler::Record;

pub(crate) use audit::{AuditQuery, Audited, Call};
pub(crate) use executions::{ExecutionCursor, ExecutionQuery};
pub(crate) use grants::{Entitlement, NodeStanding, NotAdded};
pub(crate) use history::{HistoryQuery, Placed};
pub(crate) use housekeeping::Removable;
pub(crate) use identities::{JoinFault, Joining, PublicKeyHash, Standing, StoredIdentity};
pub(crate) use jobs::{StoredJob, artifacts};
pub(crate) use listing::{Cursor, JobQuery, Order};
pub(crate) use locked::{Owner, Place, Row};
pub(crate) use reader::Reader;
pub(crate) use results::Held;
pub(crate) use secrets::StoredSecret;
pub(crate) use skrei_ledger::Error;
pub(crate) use tokens::{SecretHash, StoredToken, TokenFault};

/// Each is applied once, in this order. Never change one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("progress.sql"),
    include_str!("submission.sql"),
    include_str!("result.sql"),
    include_str!("listing.sql"),
    include_str!("identity.sql"),
    include_str!("secret.sql"),
    include_str!("audit.sql"),
    include_str!("audit_index.sql"),
    include_str!("sealed.sql"),
    include_str!("replaced.sql"),
];

/// The store's file in the orchestrator's directory.
pub(crate) const FILE: &str = "orchestrator.db";

/// A place in the log: the number of records before it.
pub(crate) type Position = u64;

/// A handle on the store; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    ledger: Ledger,
    /// The number of the last call that was recorded.
    audited: Arc<AtomicU64>,
}

impl Store {
    /// Opens the store in this directory, or makes it.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let ledger = Ledger::open(&path, MIGRATIONS)?;
        let finding = ledger.read_blocking(|connection| {
            let sql = "SELECT position, (SELECT coalesce(max(position), 0) FROM history) FROM log";
            connection.query_row(sql, (), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        })?;
        match finding {
            (log, history) if history > log => {
                let finding = format!("its log ends at {log}, and its history at {history}");
                Err(Error::Damaged { path, finding })
            }
            _ => {
                let audited = ledger.read_blocking(audit::last)?;
                Ok(Self { ledger, audited: Arc::new(AtomicU64::new(audited)) })
            }
        }
    }

    /// Where the log ends.
    pub(crate) fn position(&self) -> Result<Position, Error> {
        self.ledger.read_blocking(|connection| {
            connection
                .query_row("SELECT position FROM log", (), |row| row.get::<_, i64>(0))
                .map(row::unsigned)
        })
    }

    /// The last position whose history entry is gone together with its job; none if all are there.
    pub(crate) async fn forgotten(&self) -> Result<Option<Position>, Error> {
        self.read(|connection| {
            let position =
                connection.query_row("SELECT forgotten FROM log", (), |row| row.get::<_, i64>(0))?;
            Ok(Some(row::unsigned(position)).filter(|position| *position > 0))
        })
        .await
    }

    /// Queues records to be stored at `expected`, all or none.
    ///
    /// Fails if the log does not end there when their turn comes: then an earlier batch has failed, or somebody
    /// else wrote, and whoever decided these records decided on a state that is not the stored one.
    pub(crate) async fn append(&self, expected: Position, records: Vec<Record>) -> Committed<()> {
        self.ledger.write(move |transaction| append::append(transaction, expected, &records)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.ledger.read(query).await
    }
}

#[cfg(test)]
mod tests;
