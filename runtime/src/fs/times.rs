//! The times of a file.

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::{Errno, Result};

const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A time that a file has, to the nanosecond; it may be before 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileTime {
    /// Since the start of 1970, rounded down.
    seconds: i64,
    /// Besides; less than a second.
    nanos: u32,
}

impl FileTime {
    /// The start of 1970.
    pub(crate) const EPOCH: FileTime = FileTime { seconds: 0, nanos: 0 };

    /// So many seconds after the start of 1970, and nanoseconds, which may be of more than a second. `EOVERFLOW` if they add up to
    /// more than a file could have.
    pub(crate) fn new(seconds: i64, nanos: u32) -> Result<FileTime> {
        let seconds = seconds.checked_add((nanos / NANOS_PER_SECOND).into()).ok_or(Errno::Overflow)?;
        Ok(FileTime { seconds, nanos: nanos % NANOS_PER_SECOND })
    }

    pub(crate) fn from_nanos(since_1970: u64) -> FileTime {
        let per_second = u64::from(NANOS_PER_SECOND);
        // Neither quotient nor remainder is near its bound.
        FileTime {
            seconds: (since_1970 / per_second).cast_signed(),
            nanos: u32::try_from(since_1970 % per_second).unwrap_or_default(),
        }
    }

    pub(crate) fn seconds(self) -> i64 {
        self.seconds
    }

    pub(crate) fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Nanoseconds since 1970: none for what was before, and the most there is for what is too late to be said.
    pub(crate) fn as_nanos(self) -> u64 {
        let total = i128::from(self.seconds) * i128::from(NANOS_PER_SECOND) + i128::from(self.nanos);
        u64::try_from(total.max(0)).unwrap_or(u64::MAX)
    }
}

/// What a time becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    /// The host's time at the moment of the call.
    Now,
    /// This one.
    At(FileTime),
}

/// The times to set; `None` leaves one as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) accessed: Option<Time>,
    pub(crate) modified: Option<Time>,
}

impl Times {
    /// As system calls take them.
    pub(crate) fn to_timestamps(self) -> Timestamps {
        Timestamps { last_access: timespec(self.accessed), last_modification: timespec(self.modified) }
    }
}

fn timespec(time: Option<Time>) -> Timespec {
    match time {
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        Some(Time::Now) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        Some(Time::At(time)) => Timespec { tv_sec: time.seconds, tv_nsec: time.nanos.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_be_before_1970_and_its_parts_add_up() {
        let half_before = FileTime::new(-1, 500_000_000).unwrap();
        assert_eq!((half_before.seconds(), half_before.subsec_nanos()), (-1, 500_000_000));
        assert_eq!(FileTime::new(-1, 1_500_000_000), FileTime::new(0, 500_000_000));
        assert_eq!(FileTime::new(i64::MAX, 1_000_000_000), Err(Errno::Overflow));
    }

    #[test]
    fn where_time_is_a_number_of_nanoseconds_what_is_out_of_reach_is_at_its_end() {
        let at = |seconds| FileTime::new(seconds, 0).unwrap().as_nanos();
        assert_eq!((at(-1), at(1), at(i64::MAX)), (0, 1_000_000_000, u64::MAX));
        for nanos in [0, 1_999_999_999, u64::MAX] {
            assert_eq!(FileTime::from_nanos(nanos).as_nanos(), nanos);
        }
    }
}
