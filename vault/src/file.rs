//! Files that only their owner may read.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

use crate::Secret;

/// A file of keys has a few lines.
const BYTES_MAX: u64 = 64 << 10;

/// Why a file of keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says so.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Others may read or write it.
    #[error("it has mode {mode:04o}: others than its owner may use it")]
    Open {
        /// Its mode bits.
        mode: u32,
    },
    /// It is far too large.
    #[error("it has more than {BYTES_MAX} bytes and is no file of keys")]
    TooLarge,
}

/// What is in a file that only its owner may use; none if it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Secret>, FileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Of the file that is open, not of whatever has its name by now.
    let metadata = file.metadata()?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileError::Open { mode });
    }
    if metadata.len() > BYTES_MAX {
        return Err(FileError::TooLarge);
    }
    // With its room from the start: a vector that grows leaves copies behind.
    let mut content = Vec::with_capacity(BYTES_MAX as usize);
    file.take(BYTES_MAX).read_to_end(&mut content)?;
    Ok(Some(Secret::new(content)))
}

/// Replaces a file whole, for its owner alone from its first moment, and on the disk when this returns.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}
