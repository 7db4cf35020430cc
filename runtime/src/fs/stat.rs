//! What there is to know about a file without opening it.

use cap_std::fs::{FileTypeExt as _, Metadata, MetadataExt as _};
use rustix::fs::{FileType, Statx, StatxTimestamp, makedev};

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

impl From<&Statx> for Stat {
    fn from(found: &Statx) -> Stat {
        let time = |time: StatxTimestamp| self::time(time.tv_sec, time.tv_nsec.into());
        Stat {
            device: makedev(found.stx_dev_major, found.stx_dev_minor),
            inode: found.stx_ino,
            kind: FileType::from_raw_mode(found.stx_mode.into()).into(),
            links: found.stx_nlink.into(),
            size_bytes: found.stx_size,
            accessed: time(found.stx_atime),
            modified: time(found.stx_mtime),
            changed: time(found.stx_ctime),
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

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Kind {
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

#[cfg(test)]
mod tests {
    use cap_std::{ambient_authority, fs::Dir};
    use rustix::fs::{AtFlags, StatxFlags};

    use super::*;

    #[test]
    fn a_file_is_the_same_by_its_name_and_by_its_path() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "content").unwrap();
        std::os::unix::fs::symlink("file", directory.path().join("link")).unwrap();
        std::fs::create_dir(directory.path().join("dir")).unwrap();
        let dir = Dir::open_ambient_dir(directory.path(), ambient_authority()).unwrap();
        for name in ["file", "link", "dir"] {
            let by_name =
                rustix::fs::statx(&dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS).unwrap();
            let by_path = Stat::from(&dir.symlink_metadata(name).unwrap());
            assert_eq!(format!("{:?}", Stat::from(&by_name)), format!("{by_path:?}"));
        }
    }
}
