//! Reading a directory, a few entries at a time.

use std::os::fd::AsFd;

use rustix::fs::Dir;

use super::{Errno, Kind, Result, Slot};

/// One name in a directory.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: Kind,
    pub(crate) inode: u64,
    /// Where the listing goes on after this entry.
    pub(crate) next: u64,
}

/// A directory being read.
///
/// A cookie is the kernel's own directory offset, which stays valid while other entries come and go. Nothing is
/// kept in memory but the kernel's last buffer, whatever the size of the directory.
pub(crate) struct Listing {
    dir: Dir,
    own_inode: u64,
    _slot: Slot,
}

impl Listing {
    pub(crate) fn of(dir: impl AsFd, slot: Slot) -> Result<Listing> {
        let own_inode = rustix::fs::fstat(&dir)?.st_ino;
        Ok(Listing { dir: Dir::read_from(dir)?, own_inode, _slot: slot })
    }

    /// Hands entries to `take` from `cookie` on, until there are no more or it returns false.
    ///
    /// Names that are not UTF-8 are left out: no ABI has a way for the guest to say them.
    pub(crate) fn read(&mut self, cookie: u64, mut take: impl FnMut(&Entry<'_>) -> bool) -> Result<()> {
        self.dir.seek(i64::try_from(cookie).map_err(|_| Errno::Inval)?)?;
        while let Some(entry) = self.dir.read() {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            // What lies above a mount is not shown, not even as a number.
            let inode = if name == ".." { self.own_inode } else { entry.ino() };
            let next = entry.offset().cast_unsigned();
            if !take(&Entry { name, kind: entry.file_type().into(), inode, next }) {
                break;
            }
        }
        Ok(())
    }
}
