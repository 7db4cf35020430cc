//! One SQLite file, one writer, many decisions per disk flush.
//!
//! A [`Ledger`] takes changes from any thread, applies whatever is queued in one transaction, and answers each
//! caller once the transaction is on disk: under load many callers share one flush, alone one pays for its own.
//! Readers use connections of their own and never wait for the writer.
//!
//! [`DirectoryLock`] keeps a second process out of a data directory.

mod along;
mod backup;
mod checkpoint;
mod ledger;
mod lock;
mod writer;

pub use backup::{BackupError, backup};
pub use ledger::{Committed, Error, Ledger};
pub use lock::{DirectoryLock, LockError};
pub use rusqlite;
