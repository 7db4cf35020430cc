//! Directories that are the guest's own, and go when it ends.

use skrei_runtime::{Mode, Mount, Sandbox};
use tempfile::TempDir;

use crate::error::Error;

/// Empty directories, each with the path the guest has it under. They are removed when this is dropped.
pub(super) struct Scratch(Vec<(String, TempDir)>);

impl Scratch {
    /// Makes one for each guest path.
    pub(super) fn make(guest_paths: &[String]) -> Result<Self, Error> {
        let failed = |error| Error::internal(format!("--scratch: make a directory: {error}"));
        let make = |path: &String| TempDir::new().map(|folder| (path.clone(), folder)).map_err(failed);
        Ok(Self(guest_paths.iter().map(make).collect::<Result<_, _>>()?))
    }

    /// Grants them, to be written.
    pub(super) fn mount(&self, mut sandbox: Sandbox) -> Result<Sandbox, Error> {
        for (guest_path, folder) in &self.0 {
            sandbox = Mount::open(folder.path(), guest_path, Mode::ReadWrite)
                .and_then(|mount| sandbox.mount(mount))
                .map_err(|error| Error::refused(format!("--scratch: {error}")))?;
        }
        Ok(sandbox)
    }
}
