//! When to order a certificate. Pure.

use std::time::{Duration, SystemTime};

/// Renewal is due after this share of the lifetime, and up to the next share later, so that a fleet does not ask at once.
const DUE: f64 = 2.0 / 3.0;
const JITTER: f64 = 1.0 / 30.0;

/// After a failure: the first pause, doubled each time, up to the longest. Authorities allow few failures an hour.
const PAUSE: Duration = Duration::from_secs(60);
const PAUSE_MAX: Duration = Duration::from_secs(3600);

/// Of a certificate that lives shortly, no pause is longer than this share of its lifetime.
const PAUSE_SHARE: u32 = 30;

/// When a certificate is due for renewal; `jitter` is from 0 to 1.
pub(crate) fn due(not_before: SystemTime, not_after: SystemTime, jitter: f64) -> SystemTime {
    let lifetime = not_after.duration_since(not_before).unwrap_or_default();
    not_before + lifetime.mul_f64(DUE + JITTER * jitter.clamp(0.0, 1.0))
}

/// How long to wait after so many failures in a row; `lifetime` is that of the certificate served meanwhile.
pub(crate) fn pause(failures: u32, lifetime: Option<Duration>) -> Duration {
    let doubled = PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX);
    lifetime.map_or(doubled, |lifetime| doubled.min(lifetime / PAUSE_SHARE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_certificate_is_renewed_in_its_last_third_however_long_it_lives() {
        for days in [6, 90, 365] {
            let (from, lifetime) = (SystemTime::UNIX_EPOCH, DAY * days);
            for jitter in [0.0, 0.5, 1.0, 7.0] {
                let after = due(from, from + lifetime, jitter).duration_since(from).unwrap();
                let share = after.as_secs_f64() / lifetime.as_secs_f64();
                assert!((0.66..0.71).contains(&share), "{days} days: {share}");
            }
        }
    }

    #[test]
    fn failures_are_repeated_less_and_less_often() {
        let pauses: Vec<_> = (1..=9).map(|failures| pause(failures, None).as_secs()).collect();
        assert_eq!(pauses, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
        assert_eq!(pause(u32::MAX, Some(DAY * 90)), PAUSE_MAX);
        assert_eq!(pause(1, Some(Duration::from_secs(30))), Duration::from_secs(1));
    }
}
