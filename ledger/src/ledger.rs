//! The handle: queue a change, run a query.

use std::{
    num::NonZero,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use crate::{
    along::{self, Along, Joined},
    checkpoint::Checkpointer,
    writer::{self, Change},
};

/// Changes that may wait for the writer. Beyond it callers wait for room, so memory stays bounded.
const QUEUE_MAX: usize = 16_384;

/// Queries that run at once for each processor: some of them wait for the disk. All others wait for their turn, since each
/// has a connection with a cache of its own, and to open one costs more than most queries.
const READERS_PER_PROCESSOR: usize = 2;

/// At least and at most so many, however many processors there are.
const READERS_MIN: usize = 4;
const READERS_MAX: usize = 32;

/// Statements that a connection keeps ready.
const READY_STATEMENTS: usize = 64;

/// A handle on one SQLite file; cheap to clone. The writer stops when the last handle is gone.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// First, so that they are closed before the writer is: it folds the log if it is the last.
    readers: Arc<Readers>,
    changes: mpsc::Sender<Change>,
    along: Arc<Along>,
}

/// Why a change or a query failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// SQLite says so; nothing of the change is stored.
    #[error("store `{}`: {message}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        message: String,
    },
    /// The disk does not take it: it is full, or it fails. Nothing of the change is stored; the same may be stored later.
    #[error("store `{}`: {message}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        message: String,
    },
    /// The file was written by a newer version of the program.
    #[error("store `{}` has schema {found}, this program knows up to {known}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema number.
        found: usize,
        /// The newest one known here.
        known: usize,
    },
    /// What is in the file contradicts itself.
    #[error("store `{}` is damaged: {finding}; put a backup in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        finding: String,
    },
    /// The writer is gone: the process is shutting down.
    #[error("the store is closed")]
    Closed,
}

/// What a queued change came to: ready once it is on disk.
#[derive(Debug)]
pub struct Committed<T>(oneshot::Receiver<Result<T, Error>>);

impl<T> Committed<T> {
    /// Waits until the change is on disk, or has failed.
    ///
    /// # Errors
    /// As [`Error`] says; nothing of the change is stored then.
    pub async fn wait(self) -> Result<T, Error> {
        self.0.await.unwrap_or(Err(Error::Closed))
    }
}

impl Ledger {
    /// Opens or makes the file and brings its schema up to date: `migrations` are applied in order, each once.
    ///
    /// # Errors
    /// If the file cannot be opened, is not a database, or comes from a newer version.
    pub fn open(path: &Path, migrations: &[&str]) -> Result<Self, Error> {
        let mut connection = writer::open(path, migrations)?;
        let checkpointer = Checkpointer::start(&mut connection, path)
            .map_err(|error| Error::Sqlite { path: path.to_owned(), message: error.to_string() })?;
        let (changes, queue) = mpsc::channel(QUEUE_MAX);
        let name = format!("ledger {}", path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default());
        let file = path.to_owned();
        let along = Arc::new(Along::default());
        let goes_along = Arc::clone(&along);
        std::thread::Builder::new()
            .name(name)
            .spawn(move || writer::run(connection, checkpointer, queue, &goes_along, &file))
            .map_err(|error| Error::Sqlite { path: path.to_owned(), message: error.to_string() })?;
        Ok(Self { changes, along, readers: Arc::new(Readers::new(path.to_owned())) })
    }

    /// Queues a change. Changes are applied in the order they were queued; each is stored whole or not at all.
    ///
    /// Waits only for room in the queue; wait on what is returned for the disk.
    pub async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Committed<T> {
        let (change, committed) = Change::new(self.readers.path.clone(), change);
        // A closed queue drops the change and with it the answer's sender: the caller reads `Closed`.
        let _ = self.changes.send(change).await;
        Committed(committed)
    }

    /// Queues a change for which nobody waits. It goes to the disk in one transaction with the next change that somebody
    /// queues, before that one, or a few milliseconds later by itself. It may overtake changes that were queued before it.
    pub async fn write_along(
        &self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()> + Send + 'static,
    ) {
        let mut change = Change::new(self.readers.path.clone(), change).0;
        loop {
            match self.along.join(change) {
                Joined::Later => return,
                Joined::First => return self.flush_soon(),
                // Whatever came of the flush, there is room after it.
                Joined::Full(left) => {
                    drop(self.write(|_| Ok(())).await.wait().await);
                    change = left;
                }
            }
        }
    }

    /// Has what goes along flushed by itself if nothing comes that it can go along with.
    fn flush_soon(&self) {
        // The writer takes with it what waits when the last handle is gone.
        let changes = self.changes.downgrade();
        let (nothing, _) = Change::new(self.readers.path.clone(), |_| Ok(()));
        tokio::spawn(async move {
            tokio::time::sleep(along::WAIT).await;
            if let Some(changes) = changes.upgrade() {
                let _ = changes.send(nothing).await;
            }
        });
    }

    /// How many queries run at once: two for each processor, at least 4 and at most 32.
    pub fn readers(&self) -> usize {
        self.readers.max
    }

    /// Runs a query on a connection of its own, off the async threads, when it is its turn.
    ///
    /// # Errors
    /// As SQLite says.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        // Never closed.
        let turn = Arc::clone(&self.readers.turns).acquire_owned().await;
        self.read_in(turn.ok(), query).await.unwrap_or(Err(Error::Closed))
    }

    /// As [`Ledger::read`], begun before this returns; none if others would have to be waited for.
    pub fn read_now<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Option<JoinHandle<Result<T, Error>>> {
        let turn = Arc::clone(&self.readers.turns).try_acquire_owned().ok()?;
        Some(self.read_in(Some(turn), query))
    }

    fn read_in<T: Send + 'static>(
        &self,
        turn: Option<OwnedSemaphorePermit>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> JoinHandle<Result<T, Error>> {
        let readers = Arc::clone(&self.readers);
        tokio::task::spawn_blocking(move || {
            // Also if nobody waits for the answer any more.
            let _turn = turn;
            readers.run(query)
        })
    }

    /// As [`Ledger::read`], at once and on the calling thread.
    ///
    /// # Errors
    /// As SQLite says.
    pub fn read_blocking<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.readers.run(query)
    }
}

#[derive(Debug)]
struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
    max: usize,
}

impl Readers {
    fn new(path: PathBuf) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let max = (processors * READERS_PER_PROCESSOR).clamp(READERS_MIN, READERS_MAX);
        Self { path, idle: Mutex::default(), turns: Arc::new(Semaphore::new(max)), max }
    }

    fn run<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let failed = |error: rusqlite::Error| Error::sqlite(&self.path, &error);
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect().map_err(failed)?,
        };
        let answer = query(&connection).map_err(failed)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.max {
            idle.push(connection);
        }
        Ok(answer)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(READY_STATEMENTS);
        Ok(connection)
    }
}

impl Error {
    /// Whether it may pass without anybody changing what is to be stored.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Disk { .. })
    }

    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, message) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Self::Disk { path, message },
            _ => Self::Sqlite { path, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn so_many_read_at_once_and_the_others_wait_for_their_turn() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&directory.path().join("x.db"), &["CREATE TABLE t (x)"]).unwrap();
        let max = ledger.readers.max;
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut reading = tokio::task::JoinSet::new();
        for _ in 0..max * 5 {
            let (ledger, running, most) = (ledger.clone(), Arc::clone(&running), Arc::clone(&most));
            reading.spawn(async move {
                let query = move |connection: &Connection| {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(5));
                    running.fetch_sub(1, Ordering::SeqCst);
                    connection.query_row("SELECT count(*) FROM t", (), |row| row.get::<_, i64>(0))
                };
                ledger.read(query).await
            });
        }
        // Whoever cannot wait does not.
        ledger.read_blocking(|_| Ok(())).unwrap();
        let all = Arc::clone(&ledger.readers.turns).acquire_many_owned(u32::try_from(max).unwrap()).await;
        assert!(ledger.read_now(|_| Ok(())).is_none(), "it is nobody's turn");
        drop(all);
        while let Some(read) = reading.join_next().await {
            assert_eq!(read.unwrap().unwrap(), 0);
        }
        ledger.read_now(|_| Ok(())).unwrap().await.unwrap().unwrap();
        assert!((1..=max).contains(&most.load(Ordering::SeqCst)), "{most:?} of {max}");
        assert!(ledger.readers.idle.lock().unwrap().len() <= max);
    }
}
