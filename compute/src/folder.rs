//! Folders of the node's own: those that are emptied when it starts, and those that go with an execution.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::{Builder, TempDir};

use crate::Error;

/// An empty folder: what a node that was killed left behind is removed.
pub(crate) fn emptied(path: PathBuf) -> Result<PathBuf, Error> {
    let empty = |path: &Path| {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir(path)
    };
    match empty(&path) {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Folder { path, source }),
    }
}

/// A new folder in `parent` for this user alone, removed when it is dropped.
pub(crate) fn private(parent: &Path) -> io::Result<TempDir> {
    Builder::new().permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}
