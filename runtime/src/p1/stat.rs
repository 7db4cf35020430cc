//! Preview 1's records about files, and its flags for times.

use super::Result;
use super::memory::View;
use crate::fs::{Errno, FileTime, Kind, Stat, Time, Times};

const FILESTAT_BYTES: usize = 64;

impl Stat {
    /// Writes a `filestat`.
    pub(super) fn write(&self, view: &mut View<'_>, at: u32) -> Result<()> {
        let mut record = [0; FILESTAT_BYTES];
        record[0..8].copy_from_slice(&self.device.to_le_bytes());
        record[8..16].copy_from_slice(&self.inode.to_le_bytes());
        record[16] = file_type(self.kind);
        record[24..32].copy_from_slice(&self.links.to_le_bytes());
        record[32..40].copy_from_slice(&self.size_bytes.to_le_bytes());
        record[40..48].copy_from_slice(&self.accessed.as_nanos().to_le_bytes());
        record[48..56].copy_from_slice(&self.modified.as_nanos().to_le_bytes());
        record[56..64].copy_from_slice(&self.changed.as_nanos().to_le_bytes());
        view.write(at, &record)
    }
}

/// The number preview 1 gives a kind of file.
pub(super) fn file_type(kind: Kind) -> u8 {
    match kind {
        // Preview 1 has no word for a FIFO.
        Kind::Unknown | Kind::Fifo => 0,
        Kind::BlockDevice => 1,
        Kind::CharDevice => 2,
        Kind::Directory => 3,
        Kind::Regular => 4,
        Kind::Socket => 6,
        Kind::Symlink => 7,
    }
}

/// What a stream is: a C library takes a character device that cannot be sought for a terminal, and nothing else.
pub(super) fn stream_kind(is_terminal: bool) -> Kind {
    if is_terminal { Kind::CharDevice } else { Kind::Unknown }
}

/// From nanoseconds and `fstflags`; asking for both a given time and now is `EINVAL`.
pub(super) fn times(accessed: u64, modified: u64, flags: u32) -> Result<Times> {
    let time = |nanos: u64, given: bool, now: bool| match (given, now) {
        (true, true) => Err(Errno::Inval),
        (true, false) => Ok(Some(Time::At(FileTime::from_nanos(nanos)))),
        (false, true) => Ok(Some(Time::Now)),
        (false, false) => Ok(None),
    };
    if flags >= 1 << 4 {
        return Err(Errno::Inval);
    }
    Ok(Times {
        accessed: time(accessed, flags & 1 != 0, flags & 2 != 0)?,
        modified: time(modified, flags & 4 != 0, flags & 8 != 0)?,
    })
}
