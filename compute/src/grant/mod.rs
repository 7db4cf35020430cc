//! A grant: one host path, opened once, and checked by what was opened.
//!
//! The path a job names is opened first; then the kernel is asked where the opened thing is, and that path is
//! matched against the allow-list. There is no moment between check and use: what was checked is the handle, and
//! the handle is what the guest gets. Nothing is read, and with a refusal nothing has been made.

mod handle;
mod refusal;

use std::{
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use cap_std::fs::Dir;
use handle::{Found, Handle, Missing, find};
pub(crate) use handle::{may_write, real_path};
use rustix::fs::{FileType, Mode as Permissions, OFlags};
use skrei_job::{
    NodeId,
    outcome::Refusal,
    spec::{CreateAs, HostPath, Mode},
};

use crate::allow_list::{AllowList, Decision};

/// How often a file that moves while it is looked at is looked at again.
const LOOKS_MAX: usize = 4;

/// A host path that a guest may have, held open.
#[derive(Debug)]
pub struct Grant {
    /// What was opened.
    pub opened: Opened,
    /// Where it is: the path that was matched.
    pub path: PathBuf,
    /// Exactly the mode asked for.
    pub mode: Mode,
}

/// What was opened.
#[derive(Debug)]
pub enum Opened {
    /// A directory.
    Dir(Dir),
    /// A regular file: its directory, and its name there.
    File {
        /// Holds the file; the guest reaches no other entry of it.
        parent: Dir,
        /// The file's name.
        name: String,
    },
}

/// Opens a host path for a guest, if the node's owner allows it, and makes what the job asks to be made.
///
/// # Errors
/// The refusal: the path or mode is on no entry, nothing is there, or it is neither directory nor file.
pub fn open(list: &AllowList, node: &NodeId, wanted: &HostPath) -> Result<Grant, Box<Refusal>> {
    Request { list, node, wanted }.open()
}

/// Says whether [`open`] would be refused now, without making anything. Gives where the path is, or would be made.
///
/// # Errors
/// The refusal.
pub fn check(list: &AllowList, node: &NodeId, wanted: &HostPath) -> Result<PathBuf, Box<Refusal>> {
    let request = Request { list, node, wanted };
    match request.find()? {
        Found::There(handle) => {
            request.permit(&handle.path)?;
            Ok(handle.path)
        }
        Found::Missing(missing) => {
            request.permit(&missing.path())?;
            request.creation(&missing)?;
            Ok(missing.path())
        }
    }
}

impl Grant {
    /// The content of a granted file, if it has at most `bytes_max`.
    ///
    /// # Errors
    /// As the system says; a directory or a file that is too large is an error, too.
    pub fn read(&self, bytes_max: u64) -> io::Result<Vec<u8>> {
        let Opened::File { parent, name } = &self.opened else {
            return Err(io::ErrorKind::IsADirectory.into());
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = std::fs::File::from(rustix::fs::openat(parent, name, flags, Permissions::empty())?);
        let mut content = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() as u64 > bytes_max {
            return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
        }
        Ok(content)
    }
}

struct Request<'a> {
    list: &'a AllowList,
    node: &'a NodeId,
    wanted: &'a HostPath,
}

impl Request<'_> {
    fn open(&self) -> Result<Grant, Box<Refusal>> {
        let handle = match self.find()? {
            Found::There(handle) => handle,
            Found::Missing(missing) => {
                let path = missing.path();
                self.permit(&path)?;
                self.creation(&missing)?;
                self.create(missing).map_err(|cause| self.unusable(&path, &cause))?
            }
        };
        self.permit(&handle.path)?;
        let path = handle.path.clone();
        let opened = match handle.kind {
            FileType::Directory => Opened::Dir(handle.into_dir()),
            FileType::RegularFile => self.file(handle)?,
            kind => return Err(self.wrong_kind(&path, kind)),
        };
        Ok(Grant { opened, path, mode: self.wanted.mode })
    }

    fn find(&self) -> Result<Found, Box<Refusal>> {
        let asked = Path::new(&self.wanted.path);
        if !asked.is_absolute() || self.wanted.path.contains('\0') {
            return Err(self.not_absolute());
        }
        find(&self.list.host_path(asked, self.wanted.mode)).map_err(|cause| self.unusable(asked, &cause))
    }

    /// Asks the allow-list about where the path really is.
    fn permit(&self, real: &Path) -> Result<(), Box<Refusal>> {
        match self.list.decide(Path::new(&self.wanted.path), real, self.wanted.mode) {
            Decision::Granted { .. } => Ok(()),
            Decision::Insufficient { entries } => Err(self.insufficient(real, &entries)),
            Decision::NotListed => Err(self.not_listed(real)),
        }
    }

    /// Whether the job asks to make what is missing.
    fn creation(&self, missing: &Missing) -> Result<(), Box<Refusal>> {
        if missing.cause.kind() != io::ErrorKind::NotFound {
            return Err(self.unusable(&missing.path(), &missing.cause));
        }
        match (self.wanted.create, self.wanted.mode) {
            (CreateAs::Nothing, _) | (_, Mode::ReadOnly) => Err(self.missing(&missing.path())),
            (CreateAs::File, Mode::ReadWrite) if self.wanted.path.ends_with('/') => {
                Err(self.file_with_slash(&missing.path()))
            }
            (CreateAs::File | CreateAs::Directory, Mode::ReadWrite) => Ok(()),
        }
    }

    /// Makes the missing names one by one, each in the handle of the one before, never through a link.
    fn create(&self, missing: Missing) -> io::Result<Handle> {
        let Missing { ancestor, mut names, cause } = missing;
        let last = names.pop().ok_or(cause)?;
        let parent = names.iter().try_fold(ancestor, |directory, name| directory.make_dir(name))?;
        match self.wanted.create {
            CreateAs::File => parent.make_file(&last),
            CreateAs::Directory | CreateAs::Nothing => parent.make_dir(&last),
        }
    }

    /// A file is granted as an entry of its directory, which has to be the directory it was checked in.
    fn file(&self, mut handle: Handle) -> Result<Opened, Box<Refusal>> {
        for _ in 0..LOOKS_MAX {
            match handle.place() {
                Ok(Some((parent, name))) => {
                    let name = name.into_string().map_err(|_| self.moving(&handle.path))?;
                    return Ok(Opened::File { parent: parent.into_dir(), name });
                }
                Ok(None) => {}
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(self.unusable(&handle.path, &cause)),
            }
            let Found::There(found) = self.find()? else { break };
            self.permit(&found.path)?;
            if found.kind != FileType::RegularFile {
                break;
            }
            handle = found;
        }
        Err(self.moving(&handle.path))
    }
}
