//! Folding the write-ahead log into the file beside the writer, not in its way.
//!
//! SQLite folds in the commit that finds the log long, and everybody waits for that one. Here another thread folds
//! what is there, a little at a time: while what it folded goes to the disk, a commit that goes there too waits for all
//! of it. When the log is long, the writer folds the little that came during one such step, after which the log begins
//! anew.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

/// Pages that are folded at a time: 2 MiB, which a disk takes in some ten milliseconds wherever they belong.
const FOLD_PAGES: usize = 500;

/// Pages in the log from which on it is to begin anew: 16 MiB.
const LOG_PAGES: usize = 4_000;

/// Pages in the log from which on the writer folds it whatever that costs: 256 MiB. A reader that never ends, or a
/// disk that is slower than what is written.
const LOG_PAGES_MAX: usize = 64_000;

/// Folds the log of one file.
#[derive(Debug)]
pub(crate) struct Checkpointer {
    /// Until the end.
    request: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Pages in the log after the last commit.
    pages: Arc<AtomicUsize>,
    /// Whether the other thread has folded since the writer last looked.
    folded: Arc<AtomicBool>,
    /// Pages in the log when the other thread was last asked to.
    asked_at: usize,
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
        let thread = thread
            .spawn(move || run(&connection, &requests, &told))
            .inspect_err(|error| tracing::warn!(%error, "no thread to fold the log: the writer does it"))
            .ok();
        Ok(Self { request: Some(request), thread, pages, folded, asked_at: 0 })
    }

    /// To be called by the writer after each commit.
    pub(crate) fn committed(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        let just_folded = self.folded.swap(false, Ordering::Acquire);
        if pages < self.asked_at {
            // The log has begun anew: all of it was folded.
            self.asked_at = 0;
        }
        match step(pages, self.asked_at, just_folded) {
            Step::None => {}
            Step::Ask => {
                // One request is enough; a thread that is gone is made up for by the writer.
                let _ = self.request.as_ref().map(|request| request.try_send(()));
                self.asked_at = pages;
            }
            Step::FoldRest => {
                fold(writer);
                self.asked_at = 0;
            }
        }
    }
}

/// The writer is the last to close the file: then it folds what is left, and the log goes. Two that close at once each take
/// the other for a user of it.
impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.request.take());
        if let Some(thread) = self.thread.take() {
            // It cannot have panicked: it folds, and logs what goes wrong.
            let _ = thread.join();
        }
    }
}

/// What is to be done after a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    None,
    /// The other thread folds.
    Ask,
    /// The writer folds what is left, and the log begins anew.
    FoldRest,
}

/// `pages` are in the log, which had `asked_at` when the other thread was last asked to fold.
fn step(pages: usize, asked_at: usize, just_folded: bool) -> Step {
    if pages >= LOG_PAGES_MAX || (pages >= LOG_PAGES && just_folded) {
        return Step::FoldRest;
    }
    if pages.saturating_sub(asked_at) >= FOLD_PAGES { Step::Ask } else { Step::None }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_folded_in_small_steps_and_begins_anew_before_it_is_long() {
        assert_eq!(step(FOLD_PAGES - 1, 0, false), Step::None);
        assert_eq!(step(FOLD_PAGES, 0, false), Step::Ask);
        assert_eq!(step(FOLD_PAGES + 1, FOLD_PAGES, true), Step::None);
        assert_eq!(step(LOG_PAGES, LOG_PAGES - FOLD_PAGES, false), Step::Ask, "the rest is not little");
        assert_eq!(step(LOG_PAGES + 10, LOG_PAGES, true), Step::FoldRest);
        assert_eq!(step(LOG_PAGES_MAX, LOG_PAGES, false), Step::FoldRest, "somebody reads for ever");
    }

    #[test]
    fn a_log_that_is_written_all_the_time_stays_short() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.db");
        let mut writer = Connection::open(&path).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        let mut checkpointer = Checkpointer::start(&mut writer, &path).unwrap();
        writer.execute_batch("CREATE TABLE t (x BLOB)").unwrap();
        let mut longest = 0;
        for _ in 0..LOG_PAGES * 4 / 50 {
            writer.execute("INSERT INTO t VALUES (zeroblob(200000))", ()).unwrap();
            let asked_at = checkpointer.asked_at;
            checkpointer.committed(&writer);
            longest = longest.max(checkpointer.pages.load(Ordering::Relaxed));
            let start = std::time::Instant::now();
            while checkpointer.asked_at > asked_at && !checkpointer.folded.load(Ordering::Acquire) {
                assert!(start.elapsed() < Duration::from_secs(60), "the other thread does not fold");
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        // Whoever folds is done before the next commit here, so that it begins anew each time.
        assert!((FOLD_PAGES..FOLD_PAGES * 2).contains(&longest), "{longest}");
    }
}
