//! Times for people: in their own time zone.

use jiff::{Timestamp, tz::TimeZone};

/// `15:04:05.000` from RFC 3339; the text itself if it is something else.
pub(crate) fn of_day_in(rfc3339: &str, zone: &TimeZone) -> String {
    let time = rfc3339.parse::<Timestamp>();
    time.map_or_else(
        |_| rfc3339.to_owned(),
        |time| time.to_zoned(zone.clone()).strftime("%H:%M:%S%.3f").to_string(),
    )
}

/// `2026-01-02T15:04:05.000Z` from RFC 3339, always as long; the text itself if it is something else.
pub(crate) fn precise(rfc3339: &str) -> String {
    let time = rfc3339.parse::<Timestamp>();
    time.map_or_else(|_| rfc3339.to_owned(), |time| format!("{time:.3}"))
}

/// The time that somebody means who says since when: `10m` or `1h30m` ago, or RFC 3339.
///
/// # Errors
/// In words for whoever wrote it.
pub(crate) fn ago_or_at(text: &str) -> Result<skrei_job::Timestamp, String> {
    if let Some(time) = skrei_protocol::api::time::parse(text) {
        return Ok(time);
    }
    let ago = skrei_job::duration::parse(text)
        .map_err(|_| "neither a span of time like `10m` or `1h30m` nor a time like `2026-01-02T15:04:05Z`")?;
    let now = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    Ok(skrei_job::Timestamp::from_nanos(now).before(ago))
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

/// `2 days ago` from nanoseconds since the epoch; a time that is yet to come is `just now`.
pub(crate) fn ago(nanos: i64) -> String {
    let seconds = Timestamp::now().as_nanosecond().saturating_sub(i128::from(nanos)) / 1_000_000_000;
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
    match units.into_iter().map(|(unit, length)| (unit, seconds / length)).find(|(_, count)| *count > 0) {
        None => "just now".to_owned(),
        Some((unit, 1)) => format!("1 {unit} ago"),
        Some((unit, count)) => format!("{count} {unit}s ago"),
    }
}

/// Now, `15:04:05`.
pub(crate) fn now() -> String {
    show(Timestamp::now(), "%H:%M:%S")
}

/// Now, RFC 3339 in UTC.
pub(crate) fn instant() -> String {
    Timestamp::now().to_string()
}

fn local(rfc3339: &str, format: &str) -> Option<String> {
    Some(show(rfc3339.parse().ok()?, format))
}

fn show(time: Timestamp, format: &str) -> String {
    time.to_zoned(TimeZone::system()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_when_is_a_span_or_a_time() {
        let time = ago_or_at("2026-01-02T15:04:05Z").unwrap();
        assert_eq!(time, ago_or_at("2026-01-02T16:04:05+01:00").unwrap());
        let span = ago_or_at("30m").unwrap().since(ago_or_at("2h").unwrap()).as_secs();
        assert!((5340..=5400).contains(&span), "{span}");
        for wrong in ["yesterday", "2026-01-02", "", "-5m"] {
            assert!(ago_or_at(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn how_long_ago_is_said_in_the_largest_unit() {
        let now = i64::try_from(Timestamp::now().as_nanosecond()).unwrap();
        let before = |seconds: i64| ago(now - seconds * 1_000_000_000);
        assert_eq!(before(5), "just now");
        assert_eq!(before(-50), "just now");
        assert_eq!(before(61), "1 minute ago");
        assert_eq!(before(2 * 86_400 + 5), "2 days ago");
    }
}
