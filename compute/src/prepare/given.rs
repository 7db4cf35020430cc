//! Files and directories of the node's own that a guest gets.

use std::{io, path::Path};

use cap_std::{ambient_authority, fs::Dir};
use skrei_job::archive::Archive;
use skrei_runtime::Mount;

use super::unwritten;
use crate::ending::Unready;

/// Content that belongs to the node: guests read it.
pub(crate) fn file_mount(folder: &Path, name: String, target: &str) -> Result<Mount, Unready> {
    let parent =
        Dir::open_ambient_dir(folder, ambient_authority()).map_err(|cause| unwritten(target, &cause))?;
    Ok(Mount::file(parent, name, target, skrei_runtime::Mode::ReadOnly))
}

/// Writes out what an archive holds. Its paths were checked when it was unpacked.
pub(crate) fn unpack(directory: &Path, archive: &[u8]) -> io::Result<()> {
    let archive = Archive::unpack(archive).map_err(io::Error::other)?;
    std::fs::create_dir(directory)?;
    for (path, content) in archive.entries {
        let path = directory.join(path);
        match content {
            Some(content) => std::fs::write(path, content)?,
            None => std::fs::create_dir(path)?,
        }
    }
    Ok(())
}

/// A directory that belongs to the node: guests read it.
pub(crate) fn given_dir(folder: &Path, target: &str) -> Result<Mount, Unready> {
    let dir =
        Dir::open_ambient_dir(folder, ambient_authority()).map_err(|cause| unwritten(target, &cause))?;
    Ok(Mount::dir(dir, target, skrei_runtime::Mode::ReadOnly))
}

/// A directory that belongs to the node and is the guest's as long as it runs.
pub(crate) fn own_dir(folder: &Path, target: &str) -> Result<Mount, Unready> {
    let dir =
        Dir::open_ambient_dir(folder, ambient_authority()).map_err(|cause| unwritten(target, &cause))?;
    Ok(Mount::dir(dir, target, skrei_runtime::Mode::ReadWrite))
}
