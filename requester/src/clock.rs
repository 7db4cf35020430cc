//! The wall clock and the source of randomness: the only places where either is read.

use std::time::{SystemTime, UNIX_EPOCH};

use skrei_job::Timestamp;

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Sixteen random bytes, for ids.
///
/// # Errors
/// If the system has no randomness to give.
pub(crate) fn random() -> Result<[u8; 16], getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
