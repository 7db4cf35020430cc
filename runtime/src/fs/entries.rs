//! The directory in which a guest finds its file mounts.

use std::sync::Arc;

use super::channel::Channel;
use super::memory::MemoryFile;
use super::terms::Terms;
use super::tree::Tree;
use super::{Entry, Errno, File, Kind, Mode, Open, Opened, Result, Stat, Times, path};

/// A directory that exists for the guest alone. It holds one entry per file mount, and nothing can be added to
/// it or taken from it: a change to the directory is refused as in a directory the guest does not own (`EACCES`),
/// one to an entry's name as for a mount point (`EBUSY`), and either with `EROFS` where all its mounts are
/// read-only. The files themselves may be read, written and, if the host has none yet, created.
#[derive(Clone)]
pub(crate) struct Entries {
    files: Vec<FileEntry>,
    /// Its number in the run.
    inode: u64,
}

/// One file mount: its name for the guest, and what is behind it.
#[derive(Clone)]
pub(crate) struct FileEntry {
    pub(crate) guest_name: String,
    pub(crate) content: Content,
}

/// What is behind a file mount.
#[derive(Clone)]
pub(crate) enum Content {
    /// A name in a directory of the host's, which is open once however often the guest opens the directory it has.
    Host { parent: Arc<Tree>, name: String },
    /// Whoever takes what is written.
    Channel(Channel),
    /// What the embedder has in memory.
    Memory(MemoryFile),
}

impl Entries {
    pub(crate) fn new(files: Vec<FileEntry>, inode: u64) -> Entries {
        Entries { files, inode }
    }

    pub(crate) fn push(&mut self, file: FileEntry) {
        self.files.push(file);
    }

    pub(crate) fn open(&self, path: &str, open: &Open) -> Result<Opened> {
        let Some(name) = self.name_in(path)? else {
            open.permit(Some(Kind::Directory), Mode::ReadWrite)?;
            return Ok(Opened::Dir(super::Dir::Entries(self.clone())));
        };
        let file = match self.file(name) {
            Ok(file) => file,
            Err(errno) if open.create => {
                return Err(if errno == Errno::NoEnt { self.refusal() } else { errno });
            }
            Err(errno) => return Err(errno),
        };
        match &file.content {
            // Never followed: a link put in the file's place would reach its neighbours, which nobody granted.
            Content::Host { parent, name } => match parent.open(name, &Open { follow: false, ..*open })? {
                Opened::Dir(_) => Err(Errno::Access),
                opened => Ok(opened),
            },
            Content::Channel(channel) => Ok(Opened::File(File::Channel(channel.open(open)?))),
            Content::Memory(file) => Ok(Opened::File(File::Memory(file.open(open)?))),
        }
    }

    pub(crate) fn stat(&self) -> Stat {
        Stat::made_up(Kind::Directory, self.inode)
    }

    pub(crate) fn stat_at(&self, path: &str) -> Result<Stat> {
        match self.name_in(path)? {
            None => Ok(self.stat()),
            Some(name) => match &self.file(name)?.content {
                Content::Host { parent, name } => parent.stat_at(name, false),
                Content::Channel(channel) => Ok(channel.stat()),
                Content::Memory(file) => Ok(file.stat()),
            },
        }
    }

    pub(crate) fn set_times_at(&self, path: &str, times: Times) -> Result<()> {
        match self.name_in(path)? {
            None => Err(self.refusal()),
            Some(name) => match &self.file(name)?.content {
                Content::Host { parent, name } => parent.set_times_at(name, false, times),
                Content::Channel(_) => Err(Errno::Access),
                Content::Memory(_) => Err(Errno::Rofs),
            },
        }
    }

    pub(crate) fn list(&self, cookie: u64, mut take: impl FnMut(&Entry<'_>) -> bool) -> Result<()> {
        let names = [".", ".."].into_iter().chain(self.files.iter().map(|file| file.guest_name.as_str()));
        for (name, next) in names.zip(1_u64..) {
            if next <= cookie {
                continue;
            }
            let stat = if next <= 2 { Ok(self.stat()) } else { self.stat_at(name) };
            // A file mount whose file is yet to be made is not listed.
            let Ok(stat) = stat else { continue };
            if !take(&Entry { name, kind: stat.kind, inode: stat.inode, next }) {
                break;
            }
        }
        Ok(())
    }

    /// Waits until the entries' names are on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        self.parents().try_for_each(Tree::sync)
    }

    /// The terms of each of its mounts.
    pub(super) fn terms(&self) -> impl Iterator<Item = &Arc<Terms>> {
        self.parents().map(Tree::terms)
    }

    pub(crate) fn read_only(&self) -> bool {
        let writable = |file: &FileEntry| match &file.content {
            Content::Host { parent, .. } => parent.mode() == Mode::ReadWrite,
            Content::Channel(_) => true,
            Content::Memory(_) => false,
        };
        !self.files.iter().any(writable)
    }

    /// Why the directory itself does not change.
    pub(crate) fn refusal(&self) -> Errno {
        if self.read_only() { Errno::Rofs } else { Errno::Access }
    }

    /// Why nothing is made at `path`.
    pub(crate) fn refuse_creation(&self, path: &str) -> Errno {
        match self.stat_at(path) {
            Ok(_) => Errno::Exist,
            Err(Errno::NoEnt) => self.refusal(),
            Err(errno) => errno,
        }
    }

    /// Why what is at `path` keeps its name.
    pub(crate) fn refuse_removal(&self, path: &str) -> Errno {
        match self.stat_at(path) {
            _ if self.read_only() => Errno::Rofs,
            Ok(_) => Errno::Busy,
            Err(errno) => errno,
        }
    }

    fn parents(&self) -> impl Iterator<Item = &Tree> {
        self.files.iter().filter_map(|file| match &file.content {
            Content::Host { parent, .. } => Some(&**parent),
            Content::Channel(_) | Content::Memory(_) => None,
        })
    }

    fn file(&self, name: &str) -> Result<&FileEntry> {
        self.files.iter().find(|file| file.guest_name == name).ok_or(Errno::NoEnt)
    }

    /// The one name in a path; `None` for the directory itself.
    fn name_in<'p>(&self, path: &'p str) -> Result<Option<&'p str>> {
        let path = path::check(path)?;
        let mut names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        let Some(name) = names.next() else { return Ok(None) };
        if name == ".." {
            return Err(Errno::Perm);
        }
        // Nothing here is a directory, so a path cannot go on.
        if names.next().is_some() || path.ends_with('/') {
            return Err(self.file(name).map_or_else(|errno| errno, |_| Errno::NotDir));
        }
        Ok(Some(name))
    }
}
