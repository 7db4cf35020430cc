//! Between the words of `wasi:filesystem` 0.3 and those of `fs`.

use rustix::fs::Advice;
use wasmtime_wasi::p3::bindings::clocks::system_clock::Instant;

use super::bindings::filesystem::types;
use crate::component::{Abilities, filesystem_words};
use crate::fs::{Errno, FileTime, Kind, Open, Result, Stat, Time, Times};

/// What a guest is told that has as many files open as it may.
const TOO_MANY_OPEN: &str = "too many open files";

filesystem_words!(
    unknown: types::DescriptorType::Other(None),
    time: instant,
    // There are no words for these, but some may be given.
    Errno::Again => ErrorCode::Other(Some("try again".to_owned())),
    Errno::MFile | Errno::NFile => ErrorCode::Other(Some(TOO_MANY_OPEN.to_owned())),
);

pub(super) fn times(accessed: types::NewTimestamp, modified: types::NewTimestamp) -> Result<Times> {
    let time = |time| match time {
        types::NewTimestamp::NoChange => Ok(None),
        types::NewTimestamp::Now => Ok(Some(Time::Now)),
        types::NewTimestamp::Timestamp(Instant { seconds, nanoseconds }) => {
            FileTime::new(seconds, nanoseconds).map(|time| Some(Time::At(time)))
        }
    };
    Ok(Times { accessed: time(accessed)?, modified: time(modified)? })
}

fn instant(time: FileTime) -> Instant {
    Instant { seconds: time.seconds(), nanoseconds: time.subsec_nanos() }
}
