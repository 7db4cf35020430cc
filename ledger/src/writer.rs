//! The writer: takes what is queued, applies it in one transaction, answers after the flush.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::{along::Along, checkpoint::Checkpointer, ledger::Error};

/// Changes in one transaction at most: bounds how long the first of them waits for the last.
const BATCH_MAX: usize = 512;

/// A file is checked at each start as long as that takes no time; a copy of any size is ([`crate::backup()`]).
const CHECKED_BYTES_MAX: u64 = 64 << 20;

/// Pages the writer keeps in memory: 32 MiB. SQLite's own 2 MiB would spill large batches to the disk early.
const CACHE_KIB: u32 = 32 << 10;

type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Apply = Box<dyn FnOnce(Result<&Transaction<'_>, Error>) -> Result<Answer, (Answer, Error)> + Send>;

/// One queued change and the way to answer whoever queued it.
pub(crate) struct Change(Apply);

impl Change {
    pub(crate) fn new<T: Send + 'static>(
        path: PathBuf,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, Error>>) {
        let (answer, committed) = oneshot::channel();
        let apply: Apply = Box::new(move |transaction| {
            let changed = transaction
                .and_then(|transaction| change(transaction).map_err(|error| Error::sqlite(&path, &error)));
            match changed {
                Ok(value) => Ok(Box::new(move |flushed: Result<(), Error>| {
                    // The caller may have stopped waiting; the change is stored all the same.
                    let _ = answer.send(flushed.map(|()| value));
                })),
                Err(error) => {
                    let refuse: Answer = Box::new(move |result: Result<(), Error>| {
                        if let Err(error) = result {
                            let _ = answer.send(Err(error));
                        }
                    });
                    Err((refuse, error))
                }
            }
        });
        (Self(apply), committed)
    }

    /// Answers without trying.
    fn refuse(self, error: &Error) {
        if let Err((refuse, error)) = (self.0)(Err(error.clone())) {
            refuse(Err(error));
        }
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}

/// Opens the file for writing and applies the migrations it has not seen.
pub(crate) fn open(path: &Path, migrations: &[&str]) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, &error);
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    // What is deleted is overwritten: pages that are free for others keep what was on them else.
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;
             PRAGMA cache_size = -{CACHE_KIB};
             PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"
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
    along: &Along,
    path: &Path,
) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut is_open = true;
    while is_open {
        is_open = queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0;
        along.go_before(&mut batch);
        if batch.is_empty() {
            continue;
        }
        if let Err(error) = commit(&mut connection, &mut batch, path) {
            tracing::error!(%error, "the store cannot be written");
        }
        checkpointer.committed(&connection);
    }
}

fn commit(connection: &mut Connection, batch: &mut Vec<Change>, path: &Path) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| Error::sqlite(path, &error);
    let mut answers = Vec::with_capacity(batch.len());
    let mut changes = batch.drain(..);
    let flushed = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)
        .and_then(|mut transaction| {
            for change in changes.by_ref() {
                apply(&mut transaction, change, path, &mut answers)?;
            }
            transaction.commit().map_err(failed)
        });
    if let Err(error) = &flushed {
        // Those that were not reached.
        changes.for_each(|change| change.refuse(error));
    }
    for answer in answers {
        answer(flushed.clone());
    }
    flushed
}

/// Applies one change inside a savepoint, so that one that fails takes nothing else with it; but a disk that is full may
/// end the whole transaction, and that is an error.
fn apply(
    transaction: &mut Transaction<'_>,
    change: Change,
    path: &Path,
    answers: &mut Vec<Answer>,
) -> Result<(), Error> {
    let run = |transaction: &Transaction<'_>, statement| {
        let ran = transaction.prepare_cached(statement).and_then(|mut statement| statement.execute(()));
        ran.map_err(|error| Error::sqlite(path, &error))
    };
    if let Err(error) = run(transaction, "SAVEPOINT change") {
        change.refuse(&error);
        return Err(error);
    }
    match (change.0)(Ok(&*transaction)) {
        Ok(answer) => answers.push(answer),
        Err((refuse, error)) => {
            refuse(Err(error.clone()));
            if transaction.is_autocommit() {
                return Err(error);
            }
            run(transaction, "ROLLBACK TO change")?;
        }
    }
    run(transaction, "RELEASE change")?;
    Ok(())
}
