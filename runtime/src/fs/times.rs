//! Setting the times of a file.

use std::time::Duration;

use cap_fs_ext::SystemTimeSpec;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use super::{Errno, Result};

/// What a time becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Time {
    /// The host's time at the moment of the call.
    Now,
    /// So long after the start of 1970.
    At(Duration),
}

/// The times to set; `None` leaves one as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) accessed: Option<Time>,
    pub(crate) modified: Option<Time>,
}

impl Times {
    /// For system calls on a descriptor.
    pub(crate) fn to_timestamps(self) -> Result<Timestamps> {
        Ok(Timestamps { last_access: timespec(self.accessed)?, last_modification: timespec(self.modified)? })
    }
}

impl Time {
    /// For calls on a path.
    pub(crate) fn to_spec(self) -> Result<SystemTimeSpec> {
        Ok(match self {
            Time::Now => SystemTimeSpec::SymbolicNow,
            Time::At(since_epoch) => {
                let time = std::time::UNIX_EPOCH.checked_add(since_epoch).ok_or(Errno::Overflow)?;
                SystemTimeSpec::Absolute(cap_std::time::SystemTime::from_std(time))
            }
        })
    }
}

fn timespec(time: Option<Time>) -> Result<Timespec> {
    Ok(match time {
        None => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        Some(Time::Now) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        Some(Time::At(since_epoch)) => Timespec {
            tv_sec: i64::try_from(since_epoch.as_secs()).map_err(|_| Errno::Overflow)?,
            tv_nsec: since_epoch.subsec_nanos().into(),
        },
    })
}
