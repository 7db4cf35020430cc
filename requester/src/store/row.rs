//! Between columns and types.

use serde::{Serialize, de::DeserializeOwned};
use skrei_job::{Timestamp, life::JobState};
use skrei_ledger::rusqlite::{Error, Result, types::Type};

/// SQLite integers are signed; ours never exceed what they hold.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The other way; a negative number cannot have been written by us.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// The number a job state is stored as. Never change one.
pub(super) fn state_number(state: JobState) -> i64 {
    match state {
        JobState::Pending => 1,
        JobState::Queued => 2,
        JobState::Running => 3,
        JobState::Completed => 4,
        JobState::Failed => 5,
        JobState::Stopped => 6,
    }
}

/// The largest number of a state that is not terminal.
pub(super) const LIVE_STATE_MAX: i64 = 3;

pub(super) fn state(number: i64) -> Result<JobState> {
    let found = JobState::ALL.iter().copied().find(|state| state_number(*state) == number);
    found.ok_or(Error::IntegralValueOutOfRange(0, number))
}
