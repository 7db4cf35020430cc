//! What the list promises to jobs and this process cannot keep.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use skrei_job::spec::Mode;

use super::{AllowList, Entry};

/// An entry that lets jobs write where this process cannot: every job that does so will fail.
#[derive(Debug)]
pub struct Broken<'a> {
    entry: &'a Entry,
    path: PathBuf,
    error: io::Error,
}

impl AllowList {
    /// The entries without wildcard that give `rw` where `may_write` says that it is not to be had. A path that does
    /// not exist is no broken promise: it may come, and a job may ask to make it.
    pub fn broken(&self, may_write: impl Fn(&Path) -> io::Result<()>) -> Vec<Broken<'_>> {
        let writable = self.entries.iter().filter(|entry| entry.mode() == Mode::ReadWrite);
        writable
            .filter_map(|entry| {
                let path = entry.host_path()?;
                let error = may_write(&path).err().filter(|error| error.kind() != io::ErrorKind::NotFound)?;
                Some(Broken { entry, path, error })
            })
            .collect()
    }
}

impl fmt::Display for Broken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entry, path, error } = self;
        let path = path.display();
        write!(
            f,
            "Compute.AllowListedLocalPaths: `{entry}` lets jobs write, but this node cannot: {error}. "
        )?;
        match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem => write!(
                f,
                "The file system is read-only for this process; a service of systemd is given a directory by \
                 `ReadWritePaths={path}`"
            ),
            _ => write!(f, "Give the node's user write access to `{path}`, or write `:ro`"),
        }
    }
}
