//! Between the words of `wasi:filesystem` 0.2 and those of `fs`.

use std::time::Duration;

use rustix::fs::Advice;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;

use super::bindings::filesystem::types;
use crate::component::{Abilities, filesystem_words};
use crate::fs::{Errno, Kind, Open, Result, Stat, Time, Times};

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
        types::NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }) if nanoseconds < 1_000_000_000 => {
            Ok(Some(Time::At(Duration::new(seconds, nanoseconds))))
        }
        types::NewTimestamp::Timestamp(_) => Err(Errno::Inval),
    };
    Ok(Times { accessed: time(accessed)?, modified: time(modified)? })
}

fn datetime(nanos: u64) -> Datetime {
    let time = Duration::from_nanos(nanos);
    Datetime { seconds: time.as_secs(), nanoseconds: time.subsec_nanos() }
}
