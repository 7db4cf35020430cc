//! The journal's tables, and what is read from them.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use skrei_job::{ExecutionId, Timestamp, life::ExecutionState};
use skrei_ledger::rusqlite::{self, Connection, OptionalExtension as _, Row, types::Type};
use skrei_protocol::link::Report;

use super::Held;
use crate::output::Recording;

/// `execution.ended` is the number of the report that says how it ended; empty as long as it runs. Rows are in the
/// order of their start, and only the ids, which are random, need an index where each new one has its own page.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE execution (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ended INTEGER, outcome TEXT);
CREATE INDEX execution_ended ON execution (ended);
CREATE TABLE report (number INTEGER PRIMARY KEY AUTOINCREMENT, execution TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE log (execution INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, content BLOB NOT NULL);
",
    include_str!("held.sql"),
    include_str!("output.sql"),
];

/// Starts the numbers of a new journal at the time, in microseconds: a node that lost its journal and kept its
/// id never repeats a number that the orchestrator has seen.
pub(super) fn seed(connection: &Connection) -> rusqlite::Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let micros = i64::try_from(now.as_micros()).unwrap_or(0);
    connection.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'report', ?1
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'report')",
        [micros],
    )?;
    Ok(())
}

/// What started and whose guest was not done, as far as is known.
pub(super) fn unfinished(connection: &Connection) -> rusqlite::Result<Vec<ExecutionId>> {
    connection
        .prepare(
            "SELECT id FROM execution WHERE ended IS NULL
             AND NOT EXISTS (SELECT 1 FROM held WHERE held.execution = execution.id)",
        )?
        .query_map((), |row| id(row, 0))?
        .collect()
}

/// Everything whose results are on their way, in the order of its start.
pub(super) fn held(connection: &Connection) -> rusqlite::Result<Vec<Held>> {
    connection
        .prepare(
            "SELECT held.parcel, held.state FROM held JOIN execution ON execution.id = held.execution
             WHERE execution.ended IS NULL ORDER BY execution.seq",
        )?
        .query_map((), |row| Ok(Held { parcel: from_json(row, 0)?, state: state(row, 1)? }))?
        .collect()
}

pub(super) fn insert_held(connection: &Connection, held: &Held) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO held (execution, parcel, state) VALUES (?1, ?2, ?3)")?
        .execute((held.parcel.execution.as_str(), to_json(&held.parcel)?, to_json(&held.state)?))?;
    Ok(())
}

pub(super) fn remove_held(connection: &Connection, execution: &ExecutionId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM held WHERE execution = ?1")?.execute([execution.as_str()])?;
    Ok(())
}

fn is_held(connection: &Connection, execution: &ExecutionId) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM held WHERE execution = ?1")?.exists([execution.as_str()])
}

pub(super) fn ended(connection: &Connection) -> rusqlite::Result<BTreeMap<ExecutionId, u64>> {
    connection
        .prepare("SELECT id, ended FROM execution WHERE ended IS NOT NULL")?
        .query_map((), |row| Ok((id(row, 0)?, row.get::<_, i64>(1)?.cast_unsigned())))?
        .collect()
}

/// The lowest number that is not acknowledged, and the highest there was.
pub(super) fn numbers(connection: &Connection) -> rusqlite::Result<(Option<u64>, u64)> {
    let first: Option<i64> = connection.query_row("SELECT min(number) FROM report", (), |row| row.get(0))?;
    let latest: i64 =
        connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'report'", (), |row| row.get(0))?;
    Ok((first.map(i64::cast_unsigned), latest.cast_unsigned()))
}

pub(super) fn has_ended(connection: &Connection, execution: &ExecutionId) -> rusqlite::Result<bool> {
    let ended: Option<Option<i64>> = connection
        .prepare_cached("SELECT ended FROM execution WHERE id = ?1")?
        .query_row([execution.as_str()], |row| row.get(0))
        .optional()?;
    Ok(ended.flatten().is_some())
}

pub(super) fn outcome(
    connection: &Connection,
    execution: &ExecutionId,
) -> rusqlite::Result<Option<ExecutionState>> {
    connection
        .prepare_cached("SELECT outcome FROM execution WHERE id = ?1 AND outcome IS NOT NULL")?
        .query_row([execution.as_str()], |row| state(row, 0))
        .optional()
}

pub(super) fn reports(connection: &Connection, after: u64, max: usize) -> rusqlite::Result<Vec<Report>> {
    connection
        .prepare_cached(
            "SELECT number, execution, state FROM report WHERE number > ?1 ORDER BY number LIMIT ?2",
        )?
        .query_map((after.cast_signed(), i64::try_from(max).unwrap_or(i64::MAX)), |row| {
            Ok(Report {
                number: row.get::<_, i64>(0)?.cast_unsigned(),
                execution: id(row, 1)?,
                state: state(row, 2)?,
            })
        })?
        .collect()
}

pub(super) fn insert_log(
    connection: &Connection,
    execution: &ExecutionId,
    output: &Recording,
) -> rusqlite::Result<()> {
    let content = output.encode();
    let bytes = i64::try_from(content.len()).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO output (id, at, bytes, content) VALUES (?1, unixepoch(), ?2, ?3)",
        )?
        .execute((execution.as_str(), bytes, content))?;
    Ok(())
}

/// The output of an execution that ended: empty if it printed nothing, a line that says so if it is kept no longer.
pub(super) fn log(connection: &Connection, execution: &ExecutionId) -> rusqlite::Result<Option<Recording>> {
    let found: Option<(Vec<u8>, i64, i64)> = connection
        .prepare_cached("SELECT content, dropped, at FROM output WHERE id = ?1")?
        .query_row([execution.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let ended = |at: i64| Timestamp::from_seconds(u64::try_from(at).unwrap_or_default());
    match found {
        Some((content, 0, at)) => Ok(Some(Recording::decode(&content, ended(at)))),
        Some((_, dropped, at)) => Ok(Some(Recording::removed(dropped.cast_unsigned(), ended(at)))),
        None => {
            let is_done = has_ended(connection, execution)? || is_held(connection, execution)?;
            Ok(is_done.then(Recording::default))
        }
    }
}

pub(super) fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<ExecutionState> {
    from_json(row, column)
}

fn from_json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<ExecutionId> {
    row.get::<_, String>(column).map(ExecutionId::new)
}
