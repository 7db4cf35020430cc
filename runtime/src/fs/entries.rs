//! The directory in which a guest finds its file mounts.

use std::sync::Arc;

use super::terms::Terms;
use super::tree::Tree;
use super::{Entry, Errno, Kind, Mode, Open, Opened, Result, Stat, Times, path};

/// A directory that exists for the guest alone. It holds one entry per file mount, and nothing can be added to
/// it or taken from it: a change to the directory is refused as in a directory the guest does not own (`EACCES`),
/// one to an entry's name as for a mount point (`EBUSY`), and either with `EROFS` where all its mounts are
/// read-only. The files themselves may be read, written and, if the host has none yet, created.
pub(crate) struct Entries {
    files: Vec<FileEntry>,
}

/// One file mount: its name for the guest, and where the host has it.
pub(crate) struct FileEntry {
    pub(crate) guest_name: String,
    pub(crate) parent: Tree,
    pub(crate) host_name: String,
}

impl Entries {
    pub(crate) fn new(files: Vec<FileEntry>) -> Entries {
        Entries { files }
    }

    pub(crate) fn push(&mut self, file: FileEntry) {
        self.files.push(file);
    }

    pub(crate) fn open(&self, path: &str, open: &Open) -> Result<Opened> {
        let Some(name) = self.name_in(path)? else {
            open.permit(Some(Kind::Directory), Mode::ReadWrite)?;
            let files = self.files.iter().map(FileEntry::try_clone).collect::<Result<_>>()?;
            return Ok(Opened::Dir(super::Dir::Entries(Entries { files })));
        };
        let file = match self.file(name) {
            Ok(file) => file,
            Err(errno) if open.create => {
                return Err(if errno == Errno::NoEnt { self.refusal() } else { errno });
            }
            Err(errno) => return Err(errno),
        };
        // Never followed: a link put in the file's place would reach its neighbours, which nobody granted.
        match file.parent.open(&file.host_name, &Open { follow: false, ..*open })? {
            Opened::Dir(_) => Err(Errno::Access),
            opened => Ok(opened),
        }
    }

    pub(crate) fn stat_at(&self, path: &str) -> Result<Stat> {
        match self.name_in(path)? {
            None => Ok(Stat::synthetic_dir()),
            Some(name) => self.file(name).and_then(|file| file.parent.stat_at(&file.host_name, false)),
        }
    }

    pub(crate) fn set_times_at(&self, path: &str, times: Times) -> Result<()> {
        match self.name_in(path)? {
            None => Err(self.refusal()),
            Some(name) => {
                let file = self.file(name)?;
                file.parent.set_times_at(&file.host_name, false, times)
            }
        }
    }

    pub(crate) fn list(&self, cookie: u64, mut take: impl FnMut(&Entry<'_>) -> bool) -> Result<()> {
        let names = [".", ".."].into_iter().chain(self.files.iter().map(|file| file.guest_name.as_str()));
        for (name, next) in names.zip(1_u64..) {
            if next <= cookie {
                continue;
            }
            let stat = if next <= 2 { Ok(Stat::synthetic_dir()) } else { self.stat_at(name) };
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
        self.files.iter().try_for_each(|file| file.parent.sync())
    }

    /// The terms of each of its mounts.
    pub(super) fn terms(&self) -> impl Iterator<Item = &Arc<Terms>> {
        self.files.iter().map(|file| file.parent.terms())
    }

    pub(crate) fn read_only(&self) -> bool {
        self.files.iter().all(|file| file.parent.mode() == Mode::ReadOnly)
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

impl FileEntry {
    fn try_clone(&self) -> Result<FileEntry> {
        let (guest_name, host_name) = (self.guest_name.clone(), self.host_name.clone());
        Ok(FileEntry { guest_name, parent: self.parent.try_clone()?, host_name })
    }
}
