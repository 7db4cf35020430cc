//! The lock on a data directory.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
};

/// Holds a data directory for this process until dropped; the kernel drops it if the process dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Why a data directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("data directory `{}` is in use by another process (pid {pid})", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// What that process wrote about itself; `unknown` if it did not.
        pid: String,
    },
    /// The directory cannot be made or written.
    #[error("data directory `{}` cannot be used", directory.display())]
    Unusable {
        /// The directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Makes the directory if it is missing (mode 0700) and takes its lock, without waiting.
    ///
    /// # Errors
    /// [`LockError::InUse`] if another process holds it, [`LockError::Unusable`] if it cannot be written.
    pub fn take(directory: &Path) -> Result<Self, LockError> {
        let unusable = |source| LockError::Unusable { directory: directory.to_owned(), source };
        create_private(directory).map_err(unusable)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(directory.join("lock"))
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0).map_err(unusable)?;
                file.rewind().map_err(unusable)?;
                write!(file, "{}", std::process::id()).map_err(unusable)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let read = file.read_to_string(&mut pid);
                if read.is_err() || pid.trim().is_empty() {
                    "unknown".clone_into(&mut pid);
                }
                Err(LockError::InUse { directory: directory.to_owned(), pid: pid.trim().to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

/// Makes a directory and its parents; the directory itself is for its owner alone.
fn create_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_directory_is_free_again_when_the_lock_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        let lock = DirectoryLock::take(&path).unwrap();
        let refused = DirectoryLock::take(&path).unwrap_err();
        assert!(refused.to_string().contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(lock);
        DirectoryLock::take(&path).unwrap();
    }
}
