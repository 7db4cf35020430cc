//! Between the words of `wasi:filesystem` 0.3 and those of `fs`.

use std::time::Duration;

use rustix::fs::Advice;
use wasmtime_wasi::p3::bindings::clocks::system_clock::Instant;

use super::bindings::filesystem::types;
use crate::component::{Abilities, filesystem_words};
use crate::fs::{Errno, Kind, Open, Result, Stat, Time, Times};

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

fn instant(nanos: u64) -> Instant {
    let time = Duration::from_nanos(nanos);
    // Nanoseconds in 64 bits are far fewer seconds than that.
    Instant { seconds: time.as_secs().cast_signed(), nanoseconds: time.subsec_nanos() }
}
