//! A copy of a ledger's file, taken while it is in use.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};

use crate::Error;

/// Pages copied at a time: 4 MiB.
const STEP_PAGES: i32 = 1024;

/// How long a step waits for whoever holds the file, and how often it asks again.
const HELD_MAX: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read, or the copy cannot be written.
    #[error(transparent)]
    Ledger(#[from] Error),
    /// The copy is not what it should be; it was removed.
    #[error("the copy of `{}` is damaged: {finding}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        finding: String,
    },
    /// Another process holds the file and does not let go.
    #[error("`{}` is held by another process; try again when that is done", path.display())]
    Held {
        /// The file.
        path: PathBuf,
    },
    /// There is something at the place of the copy, or it cannot be put there.
    #[error("`{}` cannot be written: {source}", path.display())]
    Unwritable {
        /// The copy.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Copies the file as it is at one moment, checks the copy, and puts it at a place where nothing is yet. Whoever
/// writes goes on meanwhile. Returns the size of the copy in bytes.
///
/// # Errors
/// As [`BackupError`] says; nothing is left at the place then.
pub fn backup(from: &Path, to: &Path) -> Result<u64, BackupError> {
    let unwritable = |source| BackupError::Unwritable { path: to.to_owned(), source };
    if to.exists() {
        return Err(unwritable(io::ErrorKind::AlreadyExists.into()));
    }
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix(".backup-").tempfile_in(directory).map_err(unwritable)?;
    copy_pages(from, copy.path())?;
    let finding = check(copy.path()).map_err(|error| Error::sqlite(to, &error))?;
    if finding != "ok" {
        return Err(BackupError::Damaged { path: from.to_owned(), finding });
    }
    copy.as_file().sync_all().map_err(unwritable)?;
    let file = copy.persist_noclobber(to).map_err(|error| unwritable(error.error))?;
    File::open(directory).and_then(|directory| directory.sync_all()).map_err(unwritable)?;
    file.metadata().map(|metadata| metadata.len()).map_err(unwritable)
}

fn copy_pages(from: &Path, to: &Path) -> Result<(), BackupError> {
    let failed = |error: rusqlite::Error| Error::sqlite(from, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(from, flags).map_err(failed)?;
    source.busy_timeout(Duration::from_secs(5)).map_err(failed)?;
    // Reads hold the moment: without it every change by another process begins the copy anew.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    let mut copy = Connection::open(to).map_err(failed)?;
    {
        let backup = Backup::new(&source, &mut copy).map_err(failed)?;
        let mut moved = Instant::now();
        loop {
            match backup.step(STEP_PAGES).map_err(failed)? {
                StepResult::Done => break,
                StepResult::More => moved = Instant::now(),
                _ if moved.elapsed() > HELD_MAX => return Err(BackupError::Held { path: from.to_owned() }),
                _ => std::thread::sleep(ASK_AGAIN),
            }
        }
    }
    // One file, whole in itself.
    copy.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).map_err(failed)?;
    Ok(())
}

/// SQLite's finding about a whole file: `ok`, or what is wrong.
fn check(path: &Path) -> rusqlite::Result<String> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))
}
