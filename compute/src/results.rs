//! Where the results of an execution are until they are published.

use std::{
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use skrei_job::spec::ResultPath;
use tempfile::TempDir;

use crate::folder;

/// The results of one execution: an empty directory of the node's own for each result path, mounted at its path
/// and at its name. They are there from before the guest starts until this is dropped, which removes them; whoever
/// publishes them takes this out of [`Kept`](crate::prepare::Kept) and drops it afterwards. What a node that was
/// killed left is removed when it starts.
#[derive(Debug)]
pub(crate) struct Results {
    directories: Vec<Directory>,
    /// Holds them.
    _folder: TempDir,
}

/// The directory behind one result path.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The result path.
    pub(crate) of: ResultPath,
    /// Where the node has it.
    pub(crate) path: PathBuf,
}

impl Results {
    /// Makes the directories, in a folder of their own beneath `results_dir`.
    pub(crate) fn make(results_dir: &Path, paths: &[ResultPath]) -> io::Result<Self> {
        let folder = folder::private(results_dir)?;
        let make = |(number, of): (usize, &ResultPath)| {
            let path = folder.path().join(number.to_string());
            std::fs::DirBuilder::new().mode(0o700).create(&path)?;
            Ok(Directory { of: of.clone(), path })
        };
        let directories = paths.iter().enumerate().map(make).collect::<io::Result<_>>()?;
        Ok(Self { directories, _folder: folder })
    }

    /// One for each result path, in the order of the job.
    pub(crate) fn directories(&self) -> &[Directory] {
        &self.directories
    }
}
