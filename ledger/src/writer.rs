//! The writer: takes what is queued, applies it in one transaction, answers after the flush.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::{checkpoint::Checkpointer, ledger::Error};

/// Changes in one transaction at most: bounds how long the first of them waits for the last.
const BATCH_MAX: usize = 512;

/// A file is checked at each start as long as that takes no time; a copy of any size is ([`crate::backup()`]).
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Pages the writer keeps in memory: 32 MiB. SQLite's own 2 MiB would spill large batches to the disk early.
const CACHE_KIB: u32 = 32 << 10;

type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Apply = Box<dyn FnOnce(&Transaction<'_>) -> Result<Answer, (Answer, Error)> + Send>;

/// One queued change and the way to answer whoever queued it.
pub(crate) struct Change(Apply);

impl Change {
    pub(crate) fn new<T: Send + 'static>(
        path: PathBuf,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (answer, committed) = oneshot::channel();
        let apply: Apply = Box::new(move |transaction| match change(transaction) {
            Ok(value) => Ok(Box::new(move |flushed: Result<(), Error>| {
                // The caller may have stopped waiting; the change is stored all the same.
                let _ = answer.send(flushed.map(|()| value));
            })),
            Err(error) => {
                let failed = Error::sqlite(&path, &error);
                let refuse: Answer = Box::new(move |result: Result<(), Error>| {
                    if let Err(error) = result {
                        let _ = answer.send(Err(error));
                    }
                });
                Err((refuse, failed))
            }
        });
        (Self(apply), committed)
    }
}

/// Opens the file for writing and applies the migrations it has not seen.
pub(crate) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
             PRAGMA cache_size = -{CACHE_KIB};
             PRAGMA temp_store = MEMORY;"
        ))
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    check(&connection, path)?;
    let found: usize =
        connection.query_row("PRAGMA user_version", (), |row| row.get::<_, u32>(0)).map_err(failed)? as usize;
    if found > migrations.len() {
        return Err(Error::TooNew { path: path.to_owned(), found, known: migrations.len() });
    }
    for (number, migration) in migrations.iter().enumerate().skip(found) {
        let transaction = connection.transaction().map_err(failed)?;
        transaction.execute_batch(migration).map_err(failed)?;
        transaction.pragma_update(None, "user_version", number as u32 + 1).map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(connection)
}

/// Looks whether the file contradicts itself, if it is small.
fn check(connection: &Connection, path: &Path) -> Result<(), Error> {
    let size = std::fs::metadata(path).map(|metadata| metadata.len()).unwrap_or(0);
    if size > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let finding = connection
        .query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0))
        .map_err(|error| Error::sqlite(path, &error))?;
    if finding == "ok" { Ok(()) } else { Err(Error::Damaged { path: path.to_owned(), finding }) }
}

/// Runs until every handle is gone and the queue is empty.
pub(crate) fn run(
    mut connection: Connection,
    mut checkpointer: Checkpointer,
    mut queue: mpsc::Receiver<Change>,
    path: &Path,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        if let Err(error) = commit(&mut connection, &mut batch, path) {
            tracing::error!(%error, "the store cannot be written");
        }
        checkpointer.committed(&connection);
    }
}

fn commit(connection: &mut Connection, batch: &mut Vec<Change>, path: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, &error);
    let mut answers = Vec::with_capacity(batch.len());
    let flushed = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)
        .and_then(|mut transaction| {
            for change in batch.drain(..) {
                apply(&mut transaction, change, &mut answers).map_err(failed)?;
            }
            transaction.commit().map_err(failed)
        });
    // What was not reached when the transaction itself failed is dropped here, and its callers read `Closed`.
    batch.clear();
    for answer in answers {
        answer(flushed.clone());
    }
    flushed
}

/// Applies one change inside a savepoint, so that one that fails takes nothing else with it.
fn apply(
    transaction: &mut Transaction<'_>,
    Change(change): Change,
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    transaction.prepare_cached("SAVEPOINT change")?.execute(())?;
    match change(transaction) {
        Ok(answer) => answers.push(answer),
        Err((refuse, error)) => {
            transaction.prepare_cached("ROLLBACK TO change")?.execute(())?;
            refuse(Err(error));
        }
    }
    transaction.prepare_cached("RELEASE change")?.execute(())?;
    Ok(())
}
