//! A directory the guest has open: a host directory, or the one that holds its file mounts.

use std::sync::Arc;

use super::entries::Entries;
use super::terms::Terms;
use super::tree::Tree;
use super::{Entry, Errno, Mode, Open, Opened, Result, Stat, Times};

/// A directory the guest has open.
pub(crate) enum Dir {
    /// A host directory and all beneath it.
    Tree(Tree),
    /// A directory that exists for the guest alone, with one entry per file mount.
    Entries(Entries),
}

impl Dir {
    pub(crate) fn open(&self, path: &str, open: &Open) -> Result<Opened> {
        match self {
            Dir::Tree(tree) => tree.open(path, open),
            Dir::Entries(entries) => entries.open(path, open),
        }
    }

    /// The same directory, with a place of its own in its listing.
    pub(crate) fn try_clone(&self) -> Result<Dir> {
        Ok(match self {
            Dir::Tree(tree) => Dir::Tree(tree.try_clone()?),
            Dir::Entries(entries) => Dir::Entries(entries.clone()),
        })
    }

    pub(crate) fn stat(&self) -> Result<Stat> {
        match self {
            Dir::Tree(tree) => tree.stat(),
            Dir::Entries(entries) => Ok(entries.stat()),
        }
    }

    pub(crate) fn stat_at(&self, path: &str, follow: bool) -> Result<Stat> {
        match self {
            Dir::Tree(tree) => tree.stat_at(path, follow),
            Dir::Entries(entries) => entries.stat_at(path),
        }
    }

    pub(crate) fn set_times(&self, times: Times) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.set_times(times),
            Dir::Entries(entries) => Err(entries.refusal()),
        }
    }

    pub(crate) fn set_times_at(&self, path: &str, follow: bool, times: Times) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.set_times_at(path, follow, times),
            Dir::Entries(entries) => entries.set_times_at(path, times),
        }
    }

    pub(crate) fn create_dir(&self, path: &str) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.create_dir(path),
            Dir::Entries(entries) => Err(entries.refuse_creation(path)),
        }
    }

    pub(crate) fn remove_dir(&self, path: &str) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.remove_dir(path),
            Dir::Entries(entries) => Err(entries.refuse_removal(path)),
        }
    }

    pub(crate) fn remove_file(&self, path: &str) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.remove_file(path),
            Dir::Entries(entries) => Err(entries.refuse_removal(path)),
        }
    }

    pub(crate) fn rename(&self, old: &str, to: &Dir, new: &str) -> Result<()> {
        match (self, to) {
            (Dir::Tree(tree), Dir::Tree(to)) => tree.rename(old, to, new),
            _ => Err(self.refuse_across(old, to)),
        }
    }

    pub(crate) fn link(&self, old: &str, to: &Dir, new: &str) -> Result<()> {
        match (self, to) {
            (Dir::Tree(tree), Dir::Tree(to)) => tree.link(old, to, new),
            _ => Err(self.refuse_across(old, to)),
        }
    }

    pub(crate) fn symlink(&self, target: &str, path: &str) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.symlink(target, path),
            Dir::Entries(entries) => Err(entries.refuse_creation(path)),
        }
    }

    pub(crate) fn read_link(&self, path: &str) -> Result<String> {
        match self {
            Dir::Tree(tree) => tree.read_link(path),
            // What is granted is a file; a link put in its place by the host is not read either.
            Dir::Entries(entries) => entries.stat_at(path).and(Err(Errno::Inval)),
        }
    }

    pub(crate) fn list(&mut self, cookie: u64, take: impl FnMut(&Entry<'_>) -> bool) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.list(cookie, take),
            Dir::Entries(entries) => entries.list(cookie, take),
        }
    }

    pub(crate) fn sync(&self) -> Result<()> {
        match self {
            Dir::Tree(tree) => tree.sync(),
            Dir::Entries(entries) => entries.sync(),
        }
    }

    /// A rename or link that touches a file mount: the mount's name stays, and nothing moves between mounts.
    fn refuse_across(&self, old: &str, to: &Dir) -> Errno {
        if self.read_only() || to.read_only() {
            return Errno::Rofs;
        }
        match (self, to) {
            (Dir::Entries(from), Dir::Entries(_)) => from.refuse_removal(old),
            _ => Errno::XDev,
        }
    }

    /// The terms of every mount this directory is of.
    pub(super) fn terms(&self) -> Vec<Arc<Terms>> {
        match self {
            Dir::Tree(tree) => vec![Arc::clone(tree.terms())],
            Dir::Entries(entries) => entries.terms().map(Arc::clone).collect(),
        }
    }

    pub(crate) fn read_only(&self) -> bool {
        match self {
            Dir::Tree(tree) => tree.mode() == Mode::ReadOnly,
            Dir::Entries(entries) => entries.read_only(),
        }
    }
}
