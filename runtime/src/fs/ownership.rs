//! Mode and owner of what a guest makes.

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::AsFd;

use rustix::fs::{Gid, Mode as Bits, Uid};

use super::Result;

/// Mode and owner of what a guest makes in a mount, set by the host on the open file before the guest has it:
/// WASI has no call for either. What was there before stays as it was.
///
/// By default files and directories belong to this process and get the modes its umask leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Of files.
    pub file: Option<Permissions>,
    /// Of files with these names, whatever directory they are in. A file that is renamed gets the mode of its
    /// new name, so that one written beside its place and moved there lands with the right one.
    pub named: BTreeMap<String, Permissions>,
    /// Of directories.
    pub dir: Option<Permissions>,
    /// Of both. Symbolic links keep this process's.
    pub owner: Option<Owner>,
}

/// Who has what a guest makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
}

/// The nine bits that say who may read, write and execute. Never set-user-id, set-group-id or sticky.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// None if `mode` has other bits than the nine.
    pub const fn new(mode: u32) -> Option<Permissions> {
        if mode <= 0o777 { Some(Permissions(mode)) } else { None }
    }

    /// The nine bits.
    pub const fn bits(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Permissions {
    /// As `chmod` takes it: `0600`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl Ownership {
    /// The mode of a file of this name; none leaves it as it is.
    pub(super) fn file_mode(&self, name: &str) -> Option<Permissions> {
        self.named.get(name).copied().or(self.file)
    }

    /// What a file is made with, before it gets its mode: nothing that its mode does not give, and nothing to
    /// anybody but this process.
    pub(super) fn made_with(&self, name: &str) -> Option<u32> {
        match (self.file_mode(name), self.owner) {
            (None, None) => None,
            (mode, _) => Some(mode.map_or(0o600, |mode| mode.0 & 0o700)),
        }
    }

    /// Gives a file that was just made its owner and its mode.
    pub(super) fn give_file(&self, file: impl AsFd, name: &str) -> Result<()> {
        self.give(file, self.file_mode(name))
    }

    /// Gives a directory that was just made its owner and its mode.
    pub(super) fn give_dir(&self, dir: impl AsFd) -> Result<()> {
        self.give(dir, self.dir)
    }

    fn give(&self, made: impl AsFd, mode: Option<Permissions>) -> Result<()> {
        if let Some(Owner { uid, gid }) = self.owner {
            rustix::fs::fchown(&made, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        if let Some(mode) = mode {
            set_mode(&made, mode)?;
        }
        Ok(())
    }
}

/// Sets a mode exactly, whatever the umask.
pub(super) fn set_mode(file: impl AsFd, mode: Permissions) -> Result<()> {
    Ok(rustix::fs::fchmod(file, Bits::from_raw_mode(mode.0))?)
}
