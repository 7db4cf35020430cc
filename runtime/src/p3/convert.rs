//! Between the words of `wasi:filesystem` 0.3 and those of `fs`.

use std::time::Duration;

use rustix::fs::Advice;
use wasmtime_wasi::p3::bindings::clocks::system_clock::Instant;

use super::bindings::filesystem::types;
use crate::component::Abilities;
use crate::fs::{Errno, Kind, Open, Result, Stat, Time, Times};

/// What a guest is told that has as many files open as it may.
const TOO_MANY_OPEN: &str = "too many open files";

impl From<Errno> for types::ErrorCode {
    fn from(errno: Errno) -> types::ErrorCode {
        use types::ErrorCode;
        match errno {
            Errno::Access => ErrorCode::Access,
            Errno::Again => ErrorCode::Other(Some("try again".to_owned())),
            Errno::BadF => ErrorCode::BadDescriptor,
            Errno::Busy => ErrorCode::Busy,
            Errno::DeadLk => ErrorCode::Deadlock,
            Errno::DQuot => ErrorCode::Quota,
            Errno::Exist => ErrorCode::Exist,
            Errno::FBig => ErrorCode::FileTooLarge,
            Errno::IlSeq => ErrorCode::IllegalByteSequence,
            Errno::Intr => ErrorCode::Interrupted,
            Errno::Inval | Errno::Fault => ErrorCode::Invalid,
            Errno::IsDir => ErrorCode::IsDirectory,
            Errno::Loop => ErrorCode::Loop,
            Errno::MLink => ErrorCode::TooManyLinks,
            Errno::NameTooLong => ErrorCode::NameTooLong,
            Errno::NoEnt => ErrorCode::NoEntry,
            // There is no word for it, but one may be given.
            Errno::MFile | Errno::NFile => ErrorCode::Other(Some(TOO_MANY_OPEN.to_owned())),
            Errno::NoMem => ErrorCode::InsufficientMemory,
            Errno::NoSpc => ErrorCode::InsufficientSpace,
            Errno::NotDir => ErrorCode::NotDirectory,
            Errno::NotEmpty => ErrorCode::NotEmpty,
            Errno::NotSup | Errno::NotSock => ErrorCode::Unsupported,
            Errno::NxIo => ErrorCode::NoSuchDevice,
            Errno::Overflow => ErrorCode::Overflow,
            Errno::Perm => ErrorCode::NotPermitted,
            Errno::Rofs => ErrorCode::ReadOnly,
            Errno::SPipe => ErrorCode::InvalidSeek,
            Errno::TxtBsy => ErrorCode::TextFileBusy,
            Errno::XDev => ErrorCode::CrossDevice,
            Errno::Io | Errno::Stale | Errno::TimedOut => ErrorCode::Io,
        }
    }
}

impl From<Kind> for types::DescriptorType {
    fn from(kind: Kind) -> types::DescriptorType {
        match kind {
            Kind::Unknown => types::DescriptorType::Other(None),
            Kind::BlockDevice => types::DescriptorType::BlockDevice,
            Kind::CharDevice => types::DescriptorType::CharacterDevice,
            Kind::Directory => types::DescriptorType::Directory,
            Kind::Regular => types::DescriptorType::RegularFile,
            Kind::Socket => types::DescriptorType::Socket,
            Kind::Symlink => types::DescriptorType::SymbolicLink,
            Kind::Fifo => types::DescriptorType::Fifo,
        }
    }
}

impl From<Stat> for types::DescriptorStat {
    fn from(stat: Stat) -> types::DescriptorStat {
        types::DescriptorStat {
            type_: stat.kind.into(),
            link_count: stat.links,
            size: stat.size_bytes,
            data_access_timestamp: Some(instant(stat.accessed)),
            data_modification_timestamp: Some(instant(stat.modified)),
            status_change_timestamp: Some(instant(stat.changed)),
        }
    }
}

impl From<Abilities> for types::DescriptorFlags {
    fn from(abilities: Abilities) -> types::DescriptorFlags {
        use types::DescriptorFlags as Flags;
        let Abilities { read, write, sync, data_sync, mutate_directory } = abilities;
        let flags = [
            (read, Flags::READ),
            (write, Flags::WRITE),
            (sync, Flags::FILE_INTEGRITY_SYNC),
            (data_sync, Flags::DATA_INTEGRITY_SYNC),
            (mutate_directory, Flags::MUTATE_DIRECTORY),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).fold(Flags::empty(), |all, (_, flag)| all | flag)
    }
}

/// What a guest asks for when it opens a path.
pub(super) fn open(path: types::PathFlags, open: types::OpenFlags, flags: types::DescriptorFlags) -> Open {
    use types::{DescriptorFlags as Flags, OpenFlags};
    Open {
        read: flags.contains(Flags::READ),
        write: flags.contains(Flags::WRITE),
        append: false,
        create: open.contains(OpenFlags::CREATE),
        exclusive: open.contains(OpenFlags::EXCLUSIVE),
        truncate: open.contains(OpenFlags::TRUNCATE),
        directory: open.contains(OpenFlags::DIRECTORY),
        follow: follows(path),
        sync: flags.intersects(Flags::FILE_INTEGRITY_SYNC | Flags::REQUESTED_WRITE_SYNC),
        data_sync: flags.contains(Flags::DATA_INTEGRITY_SYNC),
    }
}

/// Whether a symbolic link at the end of the path is followed.
pub(super) fn follows(path: types::PathFlags) -> bool {
    path.contains(types::PathFlags::SYMLINK_FOLLOW)
}

pub(super) fn times(accessed: types::NewTimestamp, modified: types::NewTimestamp) -> Result<Times> {
    let time = |time| match time {
        types::NewTimestamp::NoChange => Ok(None),
        types::NewTimestamp::Now => Ok(Some(Time::Now)),
        types::NewTimestamp::Timestamp(Instant { seconds, nanoseconds }) => {
            // Times before 1970 are not set, as in the other versions, which cannot say them.
            let seconds = u64::try_from(seconds).map_err(|_| Errno::Inval)?;
            if nanoseconds >= 1_000_000_000 {
                return Err(Errno::Inval);
            }
            Ok(Some(Time::At(Duration::new(seconds, nanoseconds))))
        }
    };
    Ok(Times { accessed: time(accessed)?, modified: time(modified)? })
}

pub(super) fn advice(advice: types::Advice) -> Advice {
    match advice {
        types::Advice::Normal => Advice::Normal,
        types::Advice::Sequential => Advice::Sequential,
        types::Advice::Random => Advice::Random,
        types::Advice::WillNeed => Advice::WillNeed,
        types::Advice::DontNeed => Advice::DontNeed,
        types::Advice::NoReuse => Advice::NoReuse,
    }
}

fn instant(nanos: u64) -> Instant {
    let time = Duration::from_nanos(nanos);
    // Nanoseconds in 64 bits are far fewer seconds than that.
    Instant { seconds: time.as_secs().cast_signed(), nanoseconds: time.subsec_nanos() }
}
