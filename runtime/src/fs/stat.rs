//! What there is to know about a file without opening it.

use cap_std::fs::{FileTypeExt as _, Metadata, MetadataExt as _};

use super::quota::Inode;

/// What kind of thing a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unknown,
    BlockDevice,
    CharDevice,
    Directory,
    Regular,
    Socket,
    Symlink,
    Fifo,
}

/// What there is to know about a file. Times are nanoseconds since 1970, zero for anything before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) kind: Kind,
    pub(crate) links: u64,
    pub(crate) size_bytes: u64,
    pub(crate) accessed: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
}

impl Stat {
    /// What tells it from every other file as long as it exists.
    pub(crate) fn identity(&self) -> Inode {
        (self.device, self.inode)
    }

    /// Of something that exists for the guest alone. The number tells it from others of the same run; the host's files
    /// are all of other devices.
    pub(crate) fn made_up(kind: Kind, inode: u64) -> Stat {
        Stat { device: 0, inode, kind, links: 1, size_bytes: 0, accessed: 0, modified: 0, changed: 0 }
    }
}

impl From<&Metadata> for Stat {
    fn from(metadata: &Metadata) -> Stat {
        Stat {
            device: metadata.dev(),
            inode: metadata.ino(),
            kind: metadata.file_type().into(),
            links: metadata.nlink(),
            size_bytes: metadata.len(),
            accessed: nanos(metadata.atime(), metadata.atime_nsec()),
            modified: nanos(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

impl From<cap_std::fs::FileType> for Kind {
    fn from(kind: cap_std::fs::FileType) -> Kind {
        if kind.is_dir() {
            Kind::Directory
        } else if kind.is_file() {
            Kind::Regular
        } else if kind.is_symlink() {
            Kind::Symlink
        } else if kind.is_block_device() {
            Kind::BlockDevice
        } else if kind.is_char_device() {
            Kind::CharDevice
        } else if kind.is_fifo() {
            Kind::Fifo
        } else if kind.is_socket() {
            Kind::Socket
        } else {
            Kind::Unknown
        }
    }
}

impl From<rustix::fs::FileType> for Kind {
    fn from(kind: rustix::fs::FileType) -> Kind {
        use rustix::fs::FileType;
        match kind {
            FileType::Directory => Kind::Directory,
            FileType::RegularFile => Kind::Regular,
            FileType::Symlink => Kind::Symlink,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::CharacterDevice => Kind::CharDevice,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            _ => Kind::Unknown,
        }
    }
}

fn nanos(seconds: i64, nanos: i64) -> u64 {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    u64::try_from(total.max(0)).unwrap_or(u64::MAX)
}
