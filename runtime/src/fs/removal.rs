//! Taking away a name, and what that gives back.

use std::fs;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir as HostDir, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::quota::Inode;
use super::terms::Terms;
use super::{Kind, Stat};

/// A name about to be taken away, of something that counts.
pub(super) struct Removal {
    inode: Inode,
    kind: Kind,
    links: u64,
    /// A regular file, held so that what became of it can be seen.
    held: Option<fs::File>,
}

impl Removal {
    /// Looks at what is at `path`. None if nothing there counts.
    pub(super) fn of(dir: &HostDir, path: &str, terms: &Terms) -> Option<Removal> {
        let stat = Stat::from(&dir.symlink_metadata(path).ok()?);
        let inode = stat.identity();
        if !terms.quota.knows(inode) {
            return None;
        }
        let held = (stat.kind == Kind::Regular).then(|| hold(dir, path, inode)).flatten();
        Some(Removal { inode, kind: stat.kind, links: stat.links, held })
    }

    pub(super) fn inode(&self) -> Inode {
        self.inode
    }

    /// The name is gone.
    pub(super) fn done(self, terms: &Terms) {
        let Terms { quota, handles, .. } = terms;
        match self.kind {
            Kind::Regular => {
                // Held to the end: once it is let go, its number may be that of a file another guest has open.
                let held = self.held;
                // One that was swapped in between has names left, or cannot be told: nothing is given back.
                let nameless =
                    held.as_ref().and_then(|file| rustix::fs::fstat(file).ok()).map(|stat| stat.st_nlink);
                if nameless != Some(0) {
                    return quota.name_removed(self.inode, false);
                }
                let freed = handles.none(self.inode);
                quota.name_removed(self.inode, freed);
                if !freed {
                    quota.gone(self.inode);
                }
            }
            Kind::Directory => quota.name_removed(self.inode, true),
            // Nothing but a regular file is ever open.
            _ => quota.name_removed(self.inode, self.links <= 1),
        }
    }
}

/// Opens a regular file to look at it, without following a link or waiting.
pub(super) fn hold(dir: &HostDir, path: &str, inode: Inode) -> Option<fs::File> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed());
    let file = dir.open_with(path, &options).ok()?;
    let metadata = file.metadata().ok()?;
    ((metadata.dev(), metadata.ino()) == inode).then(|| file.into_std())
}
