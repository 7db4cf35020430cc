//! Spans of time as people write them: `30s`, `1h30m`, `24h`, `2d`.

use std::time::Duration;

/// Units from the largest to the smallest, in seconds.
const UNITS: &[(char, u64)] = &[('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// Reads whole numbers with units, the larger ones first; a number alone is in seconds.
///
/// # Errors
/// The text is not of that form.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let wrong = || NotADuration { text: text.to_owned() };
    let clean = text.trim().to_ascii_lowercase();
    if let Ok(seconds) = clean.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let (mut rest, mut seconds, mut units) = (clean.as_str(), 0_u64, UNITS);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0).ok_or_else(wrong)?;
        let number: u64 = rest[..end].parse().map_err(|_| wrong())?;
        let unit = rest[end..].chars().next().ok_or_else(wrong)?;
        let at = units.iter().position(|(letter, _)| *letter == unit).ok_or_else(wrong)?;
        let part = number.checked_mul(units[at].1).ok_or_else(wrong)?;
        seconds = seconds.checked_add(part).ok_or_else(wrong)?;
        (rest, units) = (&rest[end + 1..], &units[at + 1..]);
    }
    if clean.is_empty() { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

/// The span as [`parse`] reads it, in the fewest words: `1h30m`.
pub fn text(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut written = String::new();
    for (unit, seconds) in UNITS {
        if rest >= *seconds {
            written.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    if written.is_empty() { "0s".to_owned() } else { written }
}

/// The text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a span of time like `30s` or `1h30m`")]
pub struct NotADuration {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_go_from_large_to_small_and_a_bare_number_is_seconds() {
        for (written, seconds) in
            [("30s", 30), ("90", 90), ("1h30m", 5400), ("24h", 86_400), ("2d", 172_800), (" 1M ", 60)]
        {
            assert_eq!(parse(written), Ok(Duration::from_secs(seconds)), "{written}");
        }
        for written in ["", "s", "1x", "30m1h", "1m1m", "-1s", "1.5h", "99999999999999999999d"] {
            assert!(parse(written).is_err(), "{written}");
        }
    }

    #[test]
    fn a_span_reads_back() {
        for seconds in [0, 1, 60, 5400, 86_400, 90_061] {
            let span = Duration::from_secs(seconds);
            assert_eq!(parse(&text(span)), Ok(span));
        }
    }
}
