//! Folding the write-ahead log into the file beside the writer, not in its way.
//!
//! SQLite folds in the commit that finds the log long, and everybody waits for that one. Here another thread folds
//! what is there; the writer then folds the little that came meanwhile, after which the log begins anew.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use rusqlite::Connection;

/// Pages in the log from which on it is folded: 16 MiB.
const FOLD_PAGES: usize = 4_000;

/// Pages in the log from which on the writer folds it whatever that costs: 256 MiB. A reader that never ends, or a
/// disk that is slower than what is written.
const LOG_PAGES_MAX: usize = 64_000;

/// Folds the log of one file.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    request: SyncSender<()>,
    /// Pages in the log after the last commit.
    pages: Arc<AtomicUsize>,
    /// Whether the other thread has folded since the writer last looked.
    folded: Arc<AtomicBool>,
}

impl Checkpointer {
    /// Starts the thread beside the writer that has this connection.
    pub(crate) fn start(writer: &mut Connection, path: &Path) -> rusqlite::Result<Self> {
        writer.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
        let pages = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&pages);
        writer.wal_hook(Some(move |_: &mut _, pages| {
            counted.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0")?;
        let folded = Arc::new(AtomicBool::new(false));
        let (request, requests) = sync_channel(1);
        let told = Arc::clone(&folded);
        let thread = std::thread::Builder::new().name("ledger checkpoint".to_owned());
        if let Err(error) = thread.spawn(move || run(&connection, &requests, &told)) {
            tracing::warn!(%error, "no thread to fold the log: the writer does it");
        }
        Ok(Self { request, pages, folded })
    }

    /// To be called by the writer after each commit.
    pub(crate) fn committed(&self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < FOLD_PAGES {
            return;
        }
        if self.folded.swap(false, Ordering::Acquire) || pages >= LOG_PAGES_MAX {
            fold(writer);
        } else {
            // One request is enough; a thread that is gone is made up for above.
            let _ = self.request.try_send(());
        }
    }
}

/// Runs until the writer is gone.
fn run(connection: &Connection, requests: &Receiver<()>, folded: &AtomicBool) {
    while requests.recv().is_ok() {
        fold(connection);
        folded.store(true, Ordering::Release);
    }
}

/// Folds what can be without waiting for anybody. What cannot is folded the next time.
fn fold(connection: &Connection) {
    let folded = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()));
    if let Err(error) = folded {
        tracing::warn!(%error, "the write-ahead log cannot be folded for now");
    }
}
