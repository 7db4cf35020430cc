//! Between the words of `wasi:filesystem` 0.2 and those of `fs`.

use rustix::fs::Advice;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;

use super::bindings::filesystem::types;
use crate::component::{Abilities, filesystem_words};
use crate::fs::{Errno, FileTime, Kind, Open, Result, Stat, Time, Times};

filesystem_words!(
    unknown: types::DescriptorType::Unknown,
    time: datetime,
    Errno::Again => ErrorCode::WouldBlock,
    // There is no word for too many open files.
    Errno::MFile | Errno::NFile => ErrorCode::InsufficientMemory,
);

pub(super) fn times(accessed: types::NewTimestamp, modified: types::NewTimestamp) -> Result<Times> {
    let time = |time| match time {
        types::NewTimestamp::NoChange => Ok(None),
        types::NewTimestamp::Now => Ok(Some(Time::Now)),
        types::NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }) => {
            let seconds = i64::try_from(seconds).map_err(|_| Errno::Overflow)?;
            FileTime::new(seconds, nanoseconds).map(|time| Some(Time::At(time)))
        }
    };
    Ok(Times { accessed: time(accessed)?, modified: time(modified)? })
}

/// What was before 1970 cannot be said: it is the start of that.
fn datetime(time: FileTime) -> Datetime {
    match u64::try_from(time.seconds()) {
        Ok(seconds) => Datetime { seconds, nanoseconds: time.subsec_nanos() },
        Err(_) => Datetime { seconds: 0, nanoseconds: 0 },
    }
}
