//! Times for people: in their own time zone.

use jiff::{Timestamp, tz::TimeZone};

/// `15:04:05.000` from RFC 3339; the text itself if it is something else.
pub(crate) fn of_day(rfc3339: &str) -> String {
    local(rfc3339, "%H:%M:%S%.3f").unwrap_or_else(|| rfc3339.to_owned())
}

/// `2026-01-02 15:04:05` from nanoseconds since the epoch.
pub(crate) fn date(nanos: i64) -> String {
    let time = Timestamp::from_nanosecond(i128::from(nanos));
    time.map_or_else(|_| "-".to_owned(), |time| show(time, "%Y-%m-%d %H:%M:%S"))
}

/// `2026-01-02 15:04:05` from RFC 3339.
pub(crate) fn date_of(rfc3339: &str) -> String {
    local(rfc3339, "%Y-%m-%d %H:%M:%S").unwrap_or_else(|| rfc3339.to_owned())
}

/// Now, `15:04:05`.
pub(crate) fn now() -> String {
    show(Timestamp::now(), "%H:%M:%S")
}

fn local(rfc3339: &str, format: &str) -> Option<String> {
    Some(show(rfc3339.parse().ok()?, format))
}

fn show(time: Timestamp, format: &str) -> String {
    time.to_zoned(TimeZone::system()).strftime(format).to_string()
}
