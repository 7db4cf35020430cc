//! Times on the wire: integers of nanoseconds in jobs and executions, RFC 3339 elsewhere (reference 0).

use jiff::Timestamp as Instant;
use skrei_job::Timestamp;

/// Go's zero time, used where there is no time.
pub const ZERO: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 with nanoseconds as needed, in UTC.
pub fn rfc3339(time: Timestamp) -> String {
    Instant::from_nanosecond(i128::from(time.as_nanos()))
        .map_or_else(|_| ZERO.to_owned(), |at| at.to_string())
}

/// Reads RFC 3339.
pub fn parse(text: &str) -> Option<Timestamp> {
    let nanos = text.parse::<Instant>().ok()?.as_nanosecond();
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_to_the_nanosecond() {
        let time = Timestamp::from_nanos(1_770_000_000_123_456_789);
        assert_eq!(rfc3339(time), "2026-02-02T02:40:00.123456789Z");
        assert_eq!(parse(&rfc3339(time)), Some(time));
    }
}
