//! What there is to know about a file without opening it.

use cap_std::fs::{FileTypeExt as _, Metadata, MetadataExt as _};

use super::FileTime;
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

/// What there is to know about a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) kind: Kind,
    pub(crate) links: u64,
    pub(crate) size_bytes: u64,
    pub(crate) accessed: FileTime,
    pub(crate) modified: FileTime,
    pub(crate) changed: FileTime,
}

impl Stat {
    /// What tells it from every other file as long as it exists.
    pub(crate) fn identity(&self) -> Inode {
        (self.device, self.inode)
    }

    /// Of something that exists for the guest alone. The number tells it from others of the same run; the host's files
    /// are all of other devices.
    pub(crate) fn made_up(kind: Kind, inode: u64) -> Stat {
        let never = FileTime::EPOCH;
        let (accessed, modified, changed) = (never, never, never);
        Stat { device: 0, inode, kind, links: 1, size_bytes: 0, accessed, modified, changed }
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
            accessed: time(metadata.atime(), metadata.atime_nsec()),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
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

fn time(seconds: i64, nanos: i64) -> FileTime {
    // The kernel says less than a second.
    FileTime::new(seconds, u32::try_from(nanos).unwrap_or_default()).unwrap_or(FileTime::EPOCH)
}
