//! Open handles on host paths, and where they really are.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStringExt,
    },
    path::{Component, Path, PathBuf},
};

use cap_std::fs::Dir;
use rustix::{
    fs::{Access, AtFlags, FileType, Mode, OFlags},
    io::Errno,
};

/// A handle on what is at a path, good for looking and for going on from, not for reading (`O_PATH`).
#[derive(Debug)]
pub(super) struct Handle {
    fd: OwnedFd,
    /// Where the kernel says the opened thing is, read from the handle itself.
    pub(super) path: PathBuf,
    pub(super) kind: FileType,
}

const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

impl Handle {
    /// Opens a path, links followed. Whatever happens to the path later, the handle stays with what it opened.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::of(rustix::fs::open(path, LOOK, Mode::empty())?)
    }

    /// Opens one name of this directory; a link is opened itself, not followed.
    pub(super) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Self::of(rustix::fs::openat(&self.fd, name, LOOK | OFlags::NOFOLLOW, Mode::empty())?)
    }

    fn of(fd: OwnedFd) -> io::Result<Self> {
        let stat = rustix::fs::fstat(&fd)?;
        if stat.st_nlink == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        let link = rustix::fs::readlink(format!("/proc/self/fd/{}", fd.as_raw_fd()), Vec::new())?;
        let path = PathBuf::from(OsString::from_vec(link.into_bytes()));
        if !path.is_absolute() {
            return Err(io::Error::other("it is not reachable from this process's root"));
        }
        Ok(Self { fd, path, kind: FileType::from_raw_mode(stat.st_mode) })
    }

    /// The directory that holds this file under its name, and the name: what a guest can be given so that it
    /// reaches this file and not its neighbours. None if the file has gone from there.
    pub(super) fn place(&self) -> io::Result<Option<(Self, OsString)>> {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Ok(None) };
        let directory = Self::open(parent)?;
        if directory.path != parent {
            return Ok(None);
        }
        let (mine, theirs) = (rustix::fs::fstat(&self.fd)?, directory.stat(name)?);
        let same = (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino);
        Ok(same.then(|| (directory, name.to_owned())))
    }

    fn stat(&self, name: &OsStr) -> io::Result<rustix::fs::Stat> {
        Ok(rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Makes a directory here and enters it; one that is there is entered. A link never is.
    pub(super) fn make_dir(&self, name: &OsStr) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = self.enter(name)?;
        if made.kind == FileType::Directory { Ok(made) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    /// Makes an empty file here; one that is there stays as it is. A link never counts as one.
    pub(super) fn make_file(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::WRONLY | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR) {
            Ok(_) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let made = self.enter(name)?;
        if made.kind == FileType::RegularFile {
            Ok(made)
        } else {
            Err(io::Error::other("it is no regular file"))
        }
    }

    /// The handle as a directory that a guest is confined to.
    pub(super) fn into_dir(self) -> Dir {
        Dir::from_std_file(self.fd.into())
    }
}

/// What is at a path, or how far towards it there is something.
#[derive(Debug)]
pub(super) enum Found {
    There(Handle),
    Missing(Missing),
}

/// A path that leads nowhere yet.
#[derive(Debug)]
pub(super) struct Missing {
    /// The last directory on the way that is there.
    pub(super) ancestor: Handle,
    /// The names that are missing beneath it.
    pub(super) names: Vec<OsString>,
    /// Why the path itself could not be opened.
    pub(super) cause: io::Error,
}

impl Missing {
    /// Where the path would be.
    pub(super) fn path(&self) -> PathBuf {
        std::iter::once(self.ancestor.path.as_os_str())
            .chain(self.names.iter().map(OsString::as_os_str))
            .collect()
    }
}

/// Looks for an absolute path. Trailing slashes do not matter.
pub(super) fn find(path: &Path) -> io::Result<Found> {
    // Rebuilt from its components the path has no trailing slash, which would ask for a directory.
    let path: PathBuf = path.components().collect();
    let cause = match Handle::open(&path) {
        Ok(handle) => return Ok(Found::There(handle)),
        Err(cause) => cause,
    };
    let mut names = Vec::new();
    let mut rest = path.as_path();
    loop {
        // `..` beneath a directory that is not there leads nowhere that could be named.
        let (Some(Component::Normal(name)), Some(parent)) = (rest.components().next_back(), rest.parent())
        else {
            return Err(cause);
        };
        names.insert(0, name.to_owned());
        rest = parent;
        if let Ok(ancestor) = Handle::open(rest) {
            return Ok(Found::Missing(Missing { ancestor, names, cause }));
        }
    }
}

/// Whether this process may write at a path, by what the kernel says now: mode, owner, and how it is mounted.
pub(crate) fn may_write(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::accessat(rustix::fs::CWD, path, Access::WRITE_OK, AtFlags::EACCESS)?)
}

/// The real path of what exists, and of what does not as far as its directories do.
pub(crate) fn real_path(path: &Path) -> Option<PathBuf> {
    match find(path).ok()? {
        Found::There(handle) => Some(handle.path),
        Found::Missing(missing) => Some(missing.path()),
    }
}
