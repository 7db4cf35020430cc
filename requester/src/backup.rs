//! A backup of an orchestrator that is at work.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use skrei_ledger::BackupError;

use crate::store;

/// What was backed up.
#[derive(Debug)]
pub struct Backup {
    /// Bytes of the copy of the store.
    pub bytes: u64,
    /// Names of the artifacts that were held then, which are files of their own below `artifacts`, and their sizes. A
    /// file with the digest for its name never changes: whatever copies files copies these.
    pub artifacts: Vec<(String, u64)>,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no orchestrator's store.
    #[error("there is no orchestrator's store in `{}`", directory.display())]
    NoStore {
        /// Where it would be.
        directory: PathBuf,
    },
    /// The store cannot be copied.
    #[error(transparent)]
    Store(#[from] BackupError),
    /// The artifacts cannot be listed.
    #[error("the artifacts in `{}` cannot be listed: {source}", directory.display())]
    Artifacts {
        /// Where they are.
        directory: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

/// Copies the store of an orchestrator, which may be at work, to a file that is not there yet, checks the copy, and
/// lists the artifacts. `data_dir` is what [`Config::data_dir`](crate::Config) is.
///
/// # Errors
/// As [`Error`] says; there is no copy then.
pub fn backup(data_dir: &Path, to: &Path) -> Result<Backup, Error> {
    let store = data_dir.join(store::FILE);
    if !store.exists() {
        return Err(Error::NoStore { directory: data_dir.to_owned() });
    }
    let bytes = skrei_ledger::backup(&store, to)?;
    // After the store: what it names was there before it.
    let directory = data_dir.join(crate::artifacts::DIRECTORY);
    let artifacts = list(&directory).map_err(|source| Error::Artifacts { directory, source })?;
    Ok(Backup { bytes, artifacts })
}

fn list(directory: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut artifacts = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is being taken in has another name.
        if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            artifacts.push((name, entry.metadata()?.len()));
        }
    }
    artifacts.sort();
    Ok(artifacts)
}
