//! A component's handle to a file or directory, and what is done through it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Deref;
use std::sync::Arc;

use rustix::fs::Advice;

use super::Permit;
use crate::fs::{Dir, Errno, File, Open, Opened, Result, Stat, Times};

/// A component's handle to a file or directory. Streams on a file share it, and keep it open.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated interfaces name it")]
pub enum Descriptor {
    Dir(DirHandle),
    File(FileHandle),
}

pub(crate) type DirHandle = Arc<Held<Dir>>;
pub(crate) type FileHandle = Arc<Held<File>>;

/// Something open that counts as such; what the guest starts with does not.
pub(crate) struct Held<T> {
    it: T,
    /// None for what the guest starts with.
    permit: Option<Permit>,
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.it
    }
}

/// What a descriptor can be used for, in the words of `wasi:filesystem`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) sync: bool,
    pub(crate) data_sync: bool,
    pub(crate) mutate_directory: bool,
}

impl Descriptor {
    /// A directory that the guest starts with.
    pub(super) fn preopened(dir: Dir) -> Descriptor {
        Descriptor::Dir(Arc::new(Held { it: dir, permit: None }))
    }

    /// The directory it is; `ENOTDIR` if it is none.
    pub(crate) fn dir(&self) -> Result<&Dir> {
        match self {
            Descriptor::Dir(dir) => Ok(dir),
            Descriptor::File(_) => Err(Errno::NotDir),
        }
    }

    /// The file it is; `otherwise` if it is none.
    pub(crate) fn file(&self, otherwise: Errno) -> Result<&FileHandle> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Dir(_) => Err(otherwise),
        }
    }

    /// A file to be read; `EBADF` if it is not open for that.
    pub(crate) fn readable(&self) -> Result<&FileHandle> {
        let file = self.file(Errno::IsDir)?;
        if file.readable() { Ok(file) } else { Err(Errno::BadF) }
    }

    /// A file to be written; `EBADF` if it is not open for that.
    pub(crate) fn writable(&self) -> Result<&FileHandle> {
        let file = self.file(Errno::BadF)?;
        if file.writable() { Ok(file) } else { Err(Errno::BadF) }
    }

    /// Opens what is at a path. As `wasi:filesystem` has it, whoever may make a file where it can be changed may write it,
    /// and one that is not to be written is to be read.
    pub(crate) fn open_at(&self, path: &str, open: &Open, permit: Permit) -> Result<Descriptor> {
        let (dir, permit) = (self.dir()?, Some(permit));
        let read = open.read || !open.write;
        let opened = match dir.open(path, &Open { read, write: open.write || open.create, ..*open }) {
            // What is there already can be opened where nothing can be made.
            Err(Errno::Rofs) if !open.write => dir.open(path, &Open { read, ..*open }),
            opened => opened,
        };
        Ok(match opened? {
            Opened::Dir(it) => Descriptor::Dir(Arc::new(Held { it, permit })),
            Opened::File(it) => Descriptor::File(Arc::new(Held { it, permit })),
        })
    }

    /// What it was opened for. A directory can be changed as far as its mount can, and says so where the guest starts.
    pub(crate) fn abilities(&self) -> Abilities {
        match self {
            Descriptor::Dir(dir) => {
                let mutate_directory = dir.permit.is_none() && !dir.read_only();
                Abilities { read: true, mutate_directory, ..Abilities::default() }
            }
            Descriptor::File(file) => {
                let (sync, data_sync) = file.syncs();
                let (read, write) = (file.readable(), file.writable());
                Abilities { read, write, sync, data_sync, mutate_directory: false }
            }
        }
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        match self {
            Descriptor::Dir(dir) => dir.stat(),
            Descriptor::File(file) => file.stat(),
        }
    }

    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        match self {
            Descriptor::Dir(dir) => dir.set_times(times),
            Descriptor::File(file) => file.set_times(times),
        }
    }

    pub(crate) fn sync(&self) -> Result<()> {
        match self {
            Descriptor::Dir(dir) => dir.sync(),
            Descriptor::File(file) => file.sync(),
        }
    }

    pub(crate) fn sync_data(&self) -> Result<()> {
        match self {
            Descriptor::Dir(dir) => dir.sync(),
            Descriptor::File(file) => file.sync_data(),
        }
    }

    /// Hints how a file will be read.
    pub(crate) fn advise(&self, offset: u64, bytes: u64, advice: Advice) -> Result<()> {
        self.file(Errno::BadF)?.advise(offset, bytes, advice)
    }

    /// Whether both are of the same file.
    pub(crate) fn is_same(&self, other: &Descriptor) -> Result<bool> {
        Ok(self.stat()?.identity() == other.stat()?.identity())
    }
}

/// Two numbers that are the same for the same file, for as long as it exists.
pub(crate) fn identity_hash(stat: &Stat) -> (u64, u64) {
    let hash = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        (salt, stat.identity()).hash(&mut hasher);
        hasher.finish()
    };
    (hash(0), hash(1))
}
