//! A host directory a guest may use, and all beneath it.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir as HostDir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, Mode as Bits, OFlags, StatxFlags};

use super::file::HostFile;
use super::landing::Landing;
use super::listing::Listing;
use super::removal::Removal;
use super::terms::Terms;
use super::{Entry, Errno, File, Kind, Mode, Open, Opened, Result, Slot, Stat, Times, path};

/// An open host directory, and the terms of the mount it was reached through.
pub(crate) struct Tree {
    dir: HostDir,
    terms: Arc<Terms>,
    listing: Option<Listing>,
    /// None for a mount, which the embedder opened.
    _slot: Option<Slot>,
}

impl Tree {
    pub(super) fn new(dir: HostDir, terms: Arc<Terms>) -> Tree {
        Tree { dir, terms, listing: None, _slot: None }
    }

    /// A directory that is opened by a guest's leave, as long as there is room for what guests open.
    fn opened(terms: &Arc<Terms>, open: impl FnOnce() -> std::io::Result<HostDir>) -> Result<Tree> {
        let slot = terms.handles.descriptors().take()?;
        Ok(Tree { dir: open()?, terms: Arc::clone(terms), listing: None, _slot: Some(slot) })
    }

    pub(crate) fn try_clone(&self) -> Result<Tree> {
        Tree::opened(&self.terms, || self.dir.try_clone())
    }

    pub(crate) fn mode(&self) -> Mode {
        self.terms.mode
    }

    pub(super) fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    pub(crate) fn open(&self, path: &str, open: &Open) -> Result<Opened> {
        // A link at the end of the path counts as what is there when it must not be (`O_EXCL`).
        let follow = open.follow && !(open.create && open.exclusive);
        let found = match self.stat_at(path, follow) {
            Ok(stat) => Some(stat.kind),
            Err(Errno::NoEnt) => None,
            Err(errno) => return Err(errno),
        };
        if found.is_none() && open.create {
            // A missing parent is ENOENT in either mode, before the mode is asked.
            self.dir.metadata(path::parent(path))?;
        }
        open.permit(found, self.mode())?;
        if found == Some(Kind::Directory) {
            let dir = Tree::opened(&self.terms, || {
                if open.follow { self.dir.open_dir(path) } else { self.dir.open_dir_nofollow(path) }
            })?;
            return Ok(Opened::Dir(super::Dir::Tree(dir)));
        }

        // Creating or emptying needs a writable description even where the guest asked to read only; what the
        // guest may do with the result is kept apart, in `File`.
        let write = open.write || open.truncate || (open.create && found.is_none());
        let mut options = OpenOptions::new();
        options.read(open.read || !write).write(write).truncate(open.truncate);
        options.follow(if open.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
        options.sync(open.sync).dsync(open.data_sync);
        // Should another process put a FIFO or a terminal here since the look above, opening it must neither
        // wait nor take it as controlling terminal; `HostFile::new` then refuses it.
        let append = if open.append { OFlags::APPEND } else { OFlags::empty() };
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY | append).bits().cast_signed());
        let slot = self.terms.handles.descriptors().take()?;
        let creates = self.mode() == Mode::ReadWrite && write && open.create;
        let opening = self.terms.handles.opening();
        let file = match found {
            Some(_) if !creates => self.dir.open_with(path, &options)?.into_std(),
            Some(_) => match self.dir.open_with(path, &options) {
                Ok(file) => file.into_std(),
                // It went away since the look above.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    self.create(path, &options, open)?
                }
                Err(error) => return Err(error.into()),
            },
            None if creates => self.create(path, &options, open)?,
            None => self.dir.open_with(path, &options)?.into_std(),
        };
        let file = HostFile::new(file, open, Arc::clone(&self.terms), slot)?;
        drop(opening);
        Ok(Opened::File(File::Host(file)))
    }

    /// Makes a file, with the mode and owner of the mount, and opens it. One that somebody made meanwhile is
    /// opened as it is, unless the guest wants its own.
    fn create(&self, path: &str, options: &OpenOptions, open: &Open) -> Result<fs::File> {
        let name = path::name(path);
        let Terms { quota, ownership, .. } = &*self.terms;
        quota.take_name()?;
        let mut new = options.clone();
        new.create_new(true);
        if let Some(mode) = ownership.made_with(name) {
            new.mode(mode);
        }
        let made = match self.dir.open_with(path, &new) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && !open.exclusive => {
                match self.dir.open_with(path, options) {
                    Ok(file) => {
                        quota.return_name();
                        return Ok(file.into_std());
                    }
                    // A link that leads to nothing yet: what it leads to is made.
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound && open.follow => {
                        self.dir.open_with(path, new.create_new(false).create(true))
                    }
                    Err(error) => Err(error),
                }
            }
            made => made,
        };
        let file = made.inspect_err(|_| quota.return_name())?.into_std();
        if let Err(errno) = ownership.give_file(&file, name) {
            // Nothing is left behind that is not as it was to be.
            let _ = self.dir.remove_file(path);
            quota.return_name();
            return Err(errno);
        }
        let stat = rustix::fs::fstat(&file)?;
        quota.opened((stat.st_dev, stat.st_ino));
        quota.name_made((stat.st_dev, stat.st_ino));
        self.terms.count_made();
        Ok(file)
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        Ok((&self.dir.dir_metadata()?).into())
    }

    pub(crate) fn stat_at(&self, path: &str, follow: bool) -> Result<Stat> {
        let path = path::check(path)?;
        if path::is_name(path) {
            // One call to the kernel, where a path takes three.
            match rustix::fs::statx(&self.dir, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS) {
                Ok(found) => {
                    let stat = Stat::from(&found);
                    if !follow || stat.kind != Kind::Symlink {
                        return Ok(stat);
                    }
                }
                Err(rustix::io::Errno::NOENT) => return Err(Errno::NoEnt),
                // As the path says it.
                Err(_) => {}
            }
        }
        let metadata = if follow { self.dir.metadata(path) } else { self.dir.symlink_metadata(path) };
        Ok((&metadata?).into())
    }

    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        self.terms.writable()?;
        rustix::fs::utimensat(&self.dir, ".", &times.to_timestamps(), AtFlags::empty())?;
        Ok(())
    }

    pub(crate) fn set_times_at(&self, path: &str, follow: bool, times: Times) -> Result<()> {
        let path = path::check(path)?;
        self.terms.writable()?;
        let mut options = OpenOptions::new();
        options.read(true).follow(if follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
        // Held and not opened: a pipe would keep whoever opens it waiting.
        options.custom_flags(OFlags::PATH.bits().cast_signed());
        let held = self.dir.open_with(path, &options)?;
        let times = times.to_timestamps();
        match rustix::fs::utimensat(&held, "", &times, AtFlags::EMPTY_PATH) {
            // Linux before 5.8 takes no handle in place of a path.
            Err(rustix::io::Errno::INVAL) => {
                let path = format!("/proc/self/fd/{}", held.as_raw_fd());
                rustix::fs::utimensat(rustix::fs::CWD, path, &times, AtFlags::empty())?;
            }
            done => done?,
        }
        Ok(())
    }

    pub(crate) fn create_dir(&self, path: &str) -> Result<()> {
        let path = path::check(path)?;
        if self.mode() == Mode::ReadOnly && self.dir.symlink_metadata(path).is_ok() {
            // `mkdir -p` relies on hearing that the directory is there rather than that it may not be made.
            return Err(Errno::Exist);
        }
        self.terms.writable()?;
        let ownership = &self.terms.ownership;
        if ownership.dir.is_none() && ownership.owner.is_none() {
            return self.making(path, || Ok(self.dir.create_dir(path)?));
        }
        self.making(path, || {
            self.dir.create_dir_with(path, DirBuilder::new().mode(0o700))?;
            let given = self.dir.open_dir_nofollow(path).map_err(Errno::from).and_then(|dir| {
                let dir = Tree::new(dir, Arc::clone(&self.terms)).reopen()?;
                ownership.give_dir(dir)
            });
            given.inspect_err(|_| drop(self.dir.remove_dir(path)))
        })
    }

    pub(crate) fn remove_dir(&self, path: &str) -> Result<()> {
        // A slash at the end asks for a directory, which it has to be anyway.
        let path = path::check(path)?.trim_end_matches('/');
        self.terms.writable()?;
        let removal = Removal::of(&self.dir, path, &self.terms);
        self.dir.remove_dir(path)?;
        removal.into_iter().for_each(|removal| removal.done(&self.terms));
        Ok(())
    }

    pub(crate) fn remove_file(&self, path: &str) -> Result<()> {
        let path = path::check(path)?;
        self.terms.writable()?;
        let removal = Removal::of(&self.dir, path, &self.terms);
        self.dir.remove_file(path)?;
        removal.into_iter().for_each(|removal| removal.done(&self.terms));
        Ok(())
    }

    /// Renames in one step (`renameat`), replacing what is there.
    pub(crate) fn rename(&self, old: &str, to: &Tree, new: &str) -> Result<()> {
        let (old, new) = (path::check(old)?, path::check(new)?);
        self.same_writable_mount(to)?;
        // Asked of the old name, which the kernel alone sees as it is when it moves.
        let old = &*path::with_slash_of(new, old);
        // Two names of one file: neither goes away.
        let moved = self.dir.symlink_metadata(old).ok().map(|metadata| Stat::from(&metadata).identity());
        let removal = Removal::of(&to.dir, new, &self.terms).filter(|removal| Some(removal.inode()) != moved);
        let landing = Landing::prepare(&self.dir, old, path::name(new), &self.terms)?;
        self.dir.rename(old, &to.dir, new)?;
        removal.into_iter().for_each(|removal| removal.done(&self.terms));
        landing.map_or(Ok(()), Landing::done)
    }

    /// Makes a second name for a file. A symbolic link at `old` is linked itself, not followed.
    pub(crate) fn link(&self, old: &str, to: &Tree, new: &str) -> Result<()> {
        let (old, new) = (path::check(old)?, path::check(new)?);
        self.same_writable_mount(to)?;
        to.making(new, || Ok(self.dir.hard_link(old, &to.dir, new)?))
    }

    /// Makes a symbolic link, to anything that could be beneath a directory: an absolute target is refused. Whether a
    /// relative one leads out is seen when it is followed, since a link, or a directory above it, may be moved.
    pub(crate) fn symlink(&self, target: &str, path: &str) -> Result<()> {
        let (target, path) = (path::check(target)?, path::check(path)?);
        self.terms.writable()?;
        self.making(path, || Ok(self.dir.symlink_contents(target, path)?))
    }

    /// Makes a name with `make`, if there is room for one.
    fn making(&self, path: &str, make: impl FnOnce() -> Result<()>) -> Result<()> {
        let quota = &self.terms.quota;
        // `mkdir -p` relies on hearing what is there, however little room there is for more.
        let there = |full| if self.dir.symlink_metadata(path).is_ok() { Errno::Exist } else { full };
        quota.take_name().map_err(there)?;
        if let Err(errno) = make() {
            quota.return_name();
            return Err(errno);
        }
        // What was taken away again by somebody else counts for good.
        if let Ok(metadata) = self.dir.symlink_metadata(path) {
            quota.name_made(Stat::from(&metadata).identity());
        }
        self.terms.count_made();
        Ok(())
    }

    /// What a symbolic link says.
    pub(crate) fn read_link(&self, path: &str) -> Result<String> {
        let target = self.dir.read_link_contents(path::check(path)?)?;
        target.into_os_string().into_string().map_err(|_| Errno::IlSeq)
    }

    /// Hands entries to `take` from `cookie` on (0: from the first), until there are no more or it returns false.
    pub(crate) fn list(&mut self, cookie: u64, take: impl FnMut(&Entry<'_>) -> bool) -> Result<()> {
        let listing = match self.listing.take() {
            Some(listing) => listing,
            None => Listing::of(self.reopen()?, self.terms.handles.descriptors().take()?)?,
        };
        self.listing.insert(listing).read(cookie, take)
    }

    /// Waits until the directory's entries are on the disk.
    pub(crate) fn sync(&self) -> Result<()> {
        Ok(rustix::fs::fsync(self.reopen()?)?)
    }

    /// A handle that can be read and synced; the one held may be good for lookups only (`O_PATH`).
    fn reopen(&self) -> Result<rustix::fd::OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.dir, ".", flags, Bits::empty())?)
    }

    /// Two mounts are two filesystems to the guest, even where the host has both on one.
    fn same_writable_mount(&self, other: &Tree) -> Result<()> {
        self.terms.writable()?;
        other.terms.writable()?;
        if Arc::ptr_eq(&self.terms, &other.terms) { Ok(()) } else { Err(Errno::XDev) }
    }
}
