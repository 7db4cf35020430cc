//! A host directory a guest may use, and all beneath it.

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _, OpenOptionsSyncExt as _};
use cap_std::fs::{Dir as HostDir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{AtFlags, Mode as Permissions, OFlags};

use super::listing::Listing;
use super::{Entry, Errno, File, Kind, Mode, Open, Opened, Result, Stat, Times, path, symlink};

/// An open host directory, the mount it was reached through, and the mount's mode.
pub(crate) struct Tree {
    dir: HostDir,
    mount: usize,
    mode: Mode,
    listing: Option<Listing>,
}

impl Tree {
    /// `mount` numbers the grant, so that two directories of one mount are known as such.
    pub(crate) fn new(dir: HostDir, mount: usize, mode: Mode) -> Tree {
        Tree { dir, mount, mode, listing: None }
    }

    pub(crate) fn try_clone(&self) -> Result<Tree> {
        Ok(Tree::new(self.dir.try_clone()?, self.mount, self.mode))
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
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
        open.permit(found, self.mode)?;
        if found == Some(Kind::Directory) {
            let dir = if open.follow { self.dir.open_dir(path) } else { self.dir.open_dir_nofollow(path) }?;
            return Ok(Opened::Dir(super::Dir::Tree(Tree::new(dir, self.mount, self.mode))));
        }

        // Creating or emptying needs a writable description even where the guest asked to read only; what the
        // guest may do with the result is kept apart, in `File`.
        let write = open.write || open.truncate || (open.create && found.is_none());
        let mut options = OpenOptions::new();
        options.read(open.read || !write).write(write).truncate(open.truncate);
        options.follow(if open.follow { FollowSymlinks::Yes } else { FollowSymlinks::No });
        options.sync(open.sync).dsync(open.data_sync);
        if self.mode == Mode::ReadWrite && write && open.create {
            options.create(true).create_new(open.exclusive);
        }
        // Should another process put a FIFO or a terminal here since the look above, opening it must neither
        // wait nor take it as controlling terminal; `File::new` then refuses it.
        let append = if open.append { OFlags::APPEND } else { OFlags::empty() };
        options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY | append).bits().cast_signed());
        let file = self.dir.open_with(path, &options)?.into_std();
        Ok(Opened::File(File::new(file, open, self.mode)?))
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        Ok((&self.dir.dir_metadata()?).into())
    }

    pub(crate) fn stat_at(&self, path: &str, follow: bool) -> Result<Stat> {
        let path = path::check(path)?;
        let metadata = if follow { self.dir.metadata(path) } else { self.dir.symlink_metadata(path) };
        Ok((&metadata?).into())
    }

    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        self.writable()?;
        rustix::fs::utimensat(&self.dir, ".", &times.to_timestamps()?, AtFlags::empty())?;
        Ok(())
    }

    pub(crate) fn set_times_at(&self, path: &str, follow: bool, times: Times) -> Result<()> {
        let path = path::check(path)?;
        self.writable()?;
        let accessed = times.accessed.map(super::Time::to_spec).transpose()?;
        let modified = times.modified.map(super::Time::to_spec).transpose()?;
        if follow {
            self.dir.set_times(path, accessed, modified)?;
        } else {
            self.dir.set_symlink_times(path, accessed, modified)?;
        }
        Ok(())
    }

    pub(crate) fn create_dir(&self, path: &str) -> Result<()> {
        let path = path::check(path)?;
        if self.mode == Mode::ReadOnly && self.dir.symlink_metadata(path).is_ok() {
            // `mkdir -p` relies on hearing that the directory is there rather than that it may not be made.
            return Err(Errno::Exist);
        }
        self.writable()?;
        Ok(self.dir.create_dir(path)?)
    }

    pub(crate) fn remove_dir(&self, path: &str) -> Result<()> {
        let path = path::check(path)?;
        self.writable()?;
        Ok(self.dir.remove_dir(path)?)
    }

    pub(crate) fn remove_file(&self, path: &str) -> Result<()> {
        let path = path::check(path)?;
        self.writable()?;
        Ok(self.dir.remove_file(path)?)
    }

    /// Renames in one step (`renameat`), replacing what is there.
    pub(crate) fn rename(&self, old: &str, to: &Tree, new: &str) -> Result<()> {
        let (old, new) = (path::check(old)?, path::check(new)?);
        self.same_writable_mount(to)?;
        Ok(self.dir.rename(old, &to.dir, new)?)
    }

    /// Makes a second name for a file. A symbolic link at `old` is linked itself, not followed.
    pub(crate) fn link(&self, old: &str, to: &Tree, new: &str) -> Result<()> {
        let (old, new) = (path::check(old)?, path::check(new)?);
        self.same_writable_mount(to)?;
        Ok(self.dir.hard_link(old, &to.dir, new)?)
    }

    /// Makes a symbolic link, if what it says stays beneath this directory.
    pub(crate) fn symlink(&self, target: &str, path: &str) -> Result<()> {
        let path = path::check(path)?;
        self.writable()?;
        symlink::check_target(&self.dir, target, path)?;
        Ok(self.dir.symlink_contents(target, path)?)
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
            None => Listing::of(self.reopen()?)?,
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
        Ok(rustix::fs::openat(&self.dir, ".", flags, Permissions::empty())?)
    }

    fn writable(&self) -> Result<()> {
        match self.mode {
            Mode::ReadWrite => Ok(()),
            Mode::ReadOnly => Err(Errno::Rofs),
        }
    }

    /// Two mounts are two filesystems to the guest, even where the host has both on one.
    fn same_writable_mount(&self, other: &Tree) -> Result<()> {
        self.writable()?;
        other.writable()?;
        if self.mount == other.mount { Ok(()) } else { Err(Errno::XDev) }
    }
}
