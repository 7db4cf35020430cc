//! The file at a guest path, read before there is a guest: modules that others import from.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::Path;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir as HostDir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::mount::Source;
use super::{Mount, path};

/// Entries of a directory that are looked at for the one module in it.
const ENTRIES_MAX: usize = 10_000;

impl Mount {
    /// The content of the file at a guest path, or of the one `.wasm` file in the directory there, and at most one byte
    /// more than `bytes_max`; none if the path is not in this mount, or nothing is there.
    pub(crate) fn read_module(&self, guest_path: &str, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
        let Some(inner) = self.inner(guest_path) else { return Ok(None) };
        let read = match (&self.source, inner.as_str()) {
            (Source::Dir(dir), "") => read_only_module(dir, bytes_max),
            (Source::Dir(dir), inner) => read(dir, Path::new(inner), bytes_max),
            // Never followed: a link put in the file's place would reach its neighbours, which nobody granted.
            (Source::File { parent, name }, "") => {
                read_file(parent, Path::new(name), FollowSymlinks::No, bytes_max)
            }
            _ => return Ok(None),
        };
        match read {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// What of a guest path is beneath this mount: empty for the mount itself.
    pub(crate) fn inner(&self, guest_path: &str) -> Option<String> {
        let (mine, theirs) = (path::normalise_guest(&self.guest_path)?, path::normalise_guest(guest_path)?);
        let (mine, theirs) = (path::without_root(&mine), path::without_root(&theirs));
        let inner = theirs.strip_prefix(mine)?;
        match inner.strip_prefix('/') {
            Some(inner) => Some(inner.to_owned()),
            None if inner.is_empty() || mine.is_empty() => Some(inner.to_owned()),
            None => None,
        }
    }
}

/// Beneath the directory, wherever links lead.
fn read(dir: &HostDir, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    if dir.metadata(path)?.is_dir() {
        return read_only_module(&dir.open_dir(path)?, bytes_max);
    }
    read_file(dir, path, FollowSymlinks::Yes, bytes_max)
}

fn read_file(dir: &HostDir, path: &Path, follow: FollowSymlinks, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    // Nobody is waited for, whatever is there.
    options.follow(follow);
    options.read(true).custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let file = dir.open_with(path, &options)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut content = Vec::new();
    file.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
    Ok(content)
}

fn read_only_module(dir: &HostDir, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut found: Option<OsString> = None;
    for (number, entry) in dir.entries()?.enumerate() {
        if number >= ENTRIES_MAX {
            return Err(io::Error::other(format!("it is a directory with more than {ENTRIES_MAX} entries")));
        }
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "wasm")
            && found.replace(name).is_some()
        {
            return Err(io::Error::other("it is a directory with more than one `.wasm` file"));
        }
    }
    let name = found.ok_or_else(|| io::Error::other("it is a directory without a `.wasm` file"))?;
    read_file(dir, Path::new(&name), FollowSymlinks::Yes, bytes_max)
}
