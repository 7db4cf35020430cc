//! One grant: a place on the host, a path for the guest, a mode.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir as HostDir;
use zeroize::Zeroizing;

use super::channel::{Channel, ChannelSink};
use super::memory::MemoryFile;
use super::place::Place;
use super::{Mode, Ownership, Quota, path};

/// One grant: a host directory or a single file, the path the guest has it under, and the [`Mode`].
///
/// A mount holds an open directory handle. What the host does to the path afterwards changes nothing: the guest
/// reaches what was opened, beneath it, and nothing else.
///
/// A directory shows the guest everything beneath it. A file shows as a directory at the guest path's parent
/// with that one entry; several file mounts with the same parent share it. Where the mode allows, the file can
/// be written, emptied and, if the host has none yet, created, but not renamed, replaced or removed, and a
/// symbolic link in its place is refused.
#[derive(Debug)]
pub struct Mount {
    pub(super) source: Source,
    pub(super) guest_path: String,
    pub(super) mode: Mode,
    pub(super) ownership: Ownership,
    pub(super) quota: Option<Quota>,
}

#[derive(Debug)]
pub(super) enum Source {
    Dir(HostDir),
    File { parent: HostDir, name: String },
    Channel(Channel),
    Memory(MemoryFile),
}

/// Why a mount was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MountError {
    /// The host has nothing there, or it may not be opened.
    #[error("open `{}` on the host: {cause}", .path.display())]
    Host {
        /// The host path as it was given.
        path: PathBuf,
        /// What the host said.
        #[source]
        cause: io::Error,
    },
    /// The host path is neither a directory nor a regular file.
    #[error("mount `{}`: it is neither a directory nor a regular file", .path.display())]
    Kind {
        /// The host path as it was given.
        path: PathBuf,
    },
    /// The guest path contains `..` or a NUL byte, is too long, or names a file without a name.
    #[error("use `{path}` as a guest path: it must name one place, without `..`")]
    GuestPath {
        /// The guest path as it was given.
        path: String,
    },
    /// A file mount's entry is not one name in its directory.
    #[error("mount the file `{name}`: it must be one name in its directory")]
    FileName {
        /// The name as it was given.
        name: String,
    },
    /// Two mounts claim the same place in the guest.
    #[error("mount at `{second}`: it collides with the mount at `{first}`")]
    Collision {
        /// The guest path of the mount that was there before.
        first: String,
        /// The guest path of the mount that was refused.
        second: String,
    },
}

impl Mount {
    /// Grants everything beneath an open directory.
    pub fn dir(dir: HostDir, guest_path: impl Into<String>, mode: Mode) -> Mount {
        Mount::new(Source::Dir(dir), guest_path.into(), mode)
    }

    /// Grants the entry `name` of an open directory, and none of its neighbours. The file need not exist.
    pub fn file(
        parent: HostDir,
        name: impl Into<String>,
        guest_path: impl Into<String>,
        mode: Mode,
    ) -> Mount {
        Mount::new(Source::File { parent, name: name.into() }, guest_path.into(), mode)
    }

    /// Grants a file that is on no disk: whatever the guest writes to it is given to `sink`. The guest opens it for
    /// writing, to its end or from its beginning, as often as it likes; it holds nothing, so it cannot be read.
    pub fn channel(sink: Arc<dyn ChannelSink>, guest_path: impl Into<String>) -> Mount {
        Mount::new(Source::Channel(Channel::new(sink)), guest_path.into(), Mode::ReadWrite)
    }

    /// Grants a file that is on no disk: the guest reads `content`, which is overwritten once the run is over.
    pub fn memory(content: impl Into<Zeroizing<Vec<u8>>>, guest_path: impl Into<String>) -> Mount {
        let file = MemoryFile::new(content.into());
        Mount::new(Source::Memory(file), guest_path.into(), Mode::ReadOnly)
    }

    /// Opens a host path, symbolic links followed, and grants the directory or file it is.
    ///
    /// # Errors
    /// [`MountError::Host`] if it cannot be opened, [`MountError::Kind`] if it is something else, such as a
    /// device.
    pub fn open(
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
        mode: Mode,
    ) -> Result<Mount, MountError> {
        let given = host_path.as_ref();
        let host = |cause| MountError::Host { path: given.to_owned(), cause };
        let real = given.canonicalize().map_err(host)?;
        let kind = real.symlink_metadata().map_err(host)?.file_type();
        if kind.is_dir() {
            let dir = HostDir::open_ambient_dir(&real, ambient_authority()).map_err(host)?;
            return Ok(Mount::dir(dir, guest_path, mode));
        }
        let (Some(parent), Some(name), true) = (real.parent(), real.file_name(), kind.is_file()) else {
            return Err(MountError::Kind { path: given.to_owned() });
        };
        let name = name.to_str().ok_or_else(|| MountError::FileName { name: name.display().to_string() })?;
        let parent = HostDir::open_ambient_dir(parent, ambient_authority()).map_err(host)?;
        Ok(Mount::file(parent, name, guest_path, mode))
    }

    fn new(source: Source, guest_path: String, mode: Mode) -> Mount {
        Mount { source, guest_path, mode, ownership: Ownership::default(), quota: None }
    }

    /// Gives what the guest makes here a mode and an owner. Default: as this process makes files.
    pub fn ownership(mut self, ownership: Ownership) -> Mount {
        self.ownership = ownership;
        self
    }

    /// Bounds what the run adds here; mounts with clones of one quota share it. Default: what
    /// [`Limits::disk_bytes`](crate::Limits::disk_bytes) and [`Limits::disk_files`](crate::Limits::disk_files)
    /// give to all mounts without a quota together.
    pub fn quota(mut self, quota: Quota) -> Mount {
        self.quota = Some(quota);
        self
    }

    /// The path the guest has it under, as it was given.
    pub fn guest_path(&self) -> &str {
        &self.guest_path
    }

    /// What the guest may do there.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Where the guest finds this mount.
    pub(super) fn place(&self) -> Result<Place, MountError> {
        let refused = || MountError::GuestPath { path: self.guest_path.clone() };
        let whole = path::normalise_guest(&self.guest_path).ok_or_else(refused)?;
        match &self.source {
            Source::Dir(_) => return Ok(Place { preopen: whole, entry: None }),
            Source::File { name, .. }
                if matches!(name.as_str(), "" | "." | "..") || name.contains(['/', '\0']) =>
            {
                return Err(MountError::FileName { name: name.clone() });
            }
            Source::File { .. } | Source::Channel(_) | Source::Memory(_) => {}
        }
        let (preopen, entry) = match whole.rsplit_once('/') {
            Some(("", entry)) => ("/", entry),
            Some((parent, entry)) => (parent, entry),
            None => (".", whole.as_str()),
        };
        if matches!(entry, "" | ".") {
            return Err(refused());
        }
        Ok(Place { preopen: preopen.to_owned(), entry: Some(entry.to_owned()) })
    }
}
