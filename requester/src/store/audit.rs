//! The record of who changed what.
//!
//! A call is recorded before it is carried out: changes are stored in the order they were queued, so whatever the call
//! changes is never on disk without it.

use std::{sync::atomic::Ordering, time::Duration};

use skrei_job::Timestamp;
use skrei_ledger::rusqlite::{Connection, Result, Row, Transaction, params};

use super::{Error, Store, row};

/// Most calls kept, however recent: some 300 MB.
const CALLS_MAX: u64 = 1_000_000;

/// Old calls are forgotten with each so many new ones.
const FORGET_EVERY: u64 = 256;

/// Numbers grow with time, but for two calls at the same moment, and for a clock that was set back, as far as this.
const CLOCK_STEPS_MAX: Duration = Duration::from_secs(3600);

/// A call that is to change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// When it came.
    pub(crate) at: Timestamp,
    /// Who calls; empty if nobody knows.
    pub(crate) user: String,
    /// How they showed it.
    pub(crate) method: &'static str,
    /// Where it comes from.
    pub(crate) address: String,
    /// Method and route.
    pub(crate) action: String,
    /// The path.
    pub(crate) path: String,
    /// The caller's own name for it.
    pub(crate) request: String,
}

/// A call as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audited {
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    pub(crate) user: String,
    pub(crate) method: String,
    pub(crate) address: String,
    pub(crate) action: String,
    pub(crate) path: String,
    pub(crate) request: String,
    pub(crate) subject: String,
    /// None if it was not answered.
    pub(crate) status: Option<u16>,
}

/// Which calls, newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditQuery {
    /// Only those with a smaller number; 0 for all.
    pub(crate) before: u64,
    /// Only by this user; empty for all.
    pub(crate) user: String,
    /// Not earlier than this.
    pub(crate) since: Timestamp,
    /// At most so many.
    pub(crate) limit: u64,
}

impl Store {
    /// Queues a call to be recorded, before it is carried out; its number. Calls before `oldest` are forgotten.
    pub(crate) async fn call_begins(&self, call: Call, oldest: Timestamp) -> u64 {
        let number = self.audited.fetch_add(1, Ordering::Relaxed) + 1;
        // Not waited for: what the call changes is queued after this, and goes to the disk with it or behind it.
        self.ledger.write_along(move |transaction| begins(transaction, number, &call, oldest)).await;
        number
    }

    /// Queues how a call ended.
    pub(crate) async fn call_ends(&self, number: u64, status: u16, subject: String) {
        self.ledger.write_along(move |transaction| ends(transaction, number, status, &subject)).await;
    }

    /// Calls that were recorded.
    pub(crate) async fn calls(&self, query: AuditQuery) -> std::result::Result<Vec<Audited>, Error> {
        self.read(move |connection| calls(connection, &query)).await
    }
}

/// The number of the last call; 0 if there is none.
pub(super) fn last(connection: &Connection) -> Result<u64> {
    connection.query_row("SELECT max(number) FROM audit", (), |row| {
        row.get::<_, Option<i64>>(0).map(|number| number.map_or(0, row::unsigned))
    })
}

fn begins(transaction: &Transaction<'_>, number: u64, call: &Call, oldest: Timestamp) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO audit (number, at, user, method, address, action, path, request)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            row::signed(number),
            call.at.as_nanos(),
            call.user,
            call.method,
            call.address,
            call.action,
            call.path,
            call.request
        ])?;
    if number.is_multiple_of(FORGET_EVERY) {
        // Numbers grow with time: what is old is at the beginning, and looked for from there.
        transaction
            .prepare_cached(
                "DELETE FROM audit WHERE number <= ?1
                 OR number < (SELECT number FROM audit WHERE at >= ?2 ORDER BY number LIMIT 1)",
            )?
            .execute(params![row::signed(number.saturating_sub(CALLS_MAX)), oldest.as_nanos()])?;
    }
    Ok(())
}

fn ends(transaction: &Transaction<'_>, number: u64, status: u16, subject: &str) -> Result<()> {
    transaction
        .prepare_cached("UPDATE audit SET status = ?2, subject = ?3 WHERE number = ?1")?
        .execute(params![row::signed(number), status, subject])?;
    Ok(())
}

/// Newest first, and no further back than what is asked for: the search ends at the first call that is too old.
fn calls(connection: &Connection, query: &AuditQuery) -> Result<Vec<Audited>> {
    const COLUMNS: &str = "number, at, user, method, address, action, path, request, subject, status";
    let before = if query.before == 0 { i64::MAX } else { row::signed(query.before) };
    let of_user = if query.user.is_empty() { "?2 = ''" } else { "user = ?2 COLLATE NOCASE" };
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE number < ?1 AND {of_user} ORDER BY number DESC");
    let oldest = query.since.before(CLOCK_STEPS_MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params![before, query.user])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let call = audited(row)?;
        if call.at < oldest || found.len() as u64 == query.limit {
            break;
        }
        if call.at >= query.since {
            found.push(call);
        }
    }
    Ok(found)
}

fn audited(found: &Row<'_>) -> Result<Audited> {
    Ok(Audited {
        number: row::unsigned(found.get(0)?),
        at: row::time(found.get(1)?),
        user: found.get(2)?,
        method: found.get(3)?,
        address: found.get(4)?,
        action: found.get(5)?,
        path: found.get(6)?,
        request: found.get(7)?,
        subject: found.get(8)?,
        status: found.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MIGRATIONS;

    #[test]
    fn the_calls_of_a_user_or_since_a_time_are_found_without_reading_all_others() {
        let connection = Connection::open_in_memory().unwrap();
        for migration in MIGRATIONS {
            connection.execute_batch(migration).unwrap();
        }
        // A minute each; one of them came with the clock set back for a moment.
        connection
            .execute_batch(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                 INSERT INTO audit (number, at, user, method, address, action, path, request)
                 SELECT i, i * 60000000000, CASE i WHEN 7 THEN 'Ada' ELSE 'ci' END, '', '', '', '', '' FROM n;
                 UPDATE audit SET at = at - 600000000000 WHERE number = 4990;",
            )
            .unwrap();
        let minutes = |minutes: i64| Timestamp::from_nanos(minutes * 60_000_000_000);
        let numbers = |query: AuditQuery| -> Vec<u64> {
            calls(&connection, &query).unwrap().iter().map(|call| call.number).collect()
        };
        let all = AuditQuery { limit: 3, ..AuditQuery::default() };
        assert_eq!(numbers(all.clone()), [5000, 4999, 4998]);
        assert_eq!(numbers(AuditQuery { before: 3, ..all.clone() }), [2, 1]);
        assert_eq!(numbers(AuditQuery { user: "ada".to_owned(), ..all }), [7]);
        let since = AuditQuery { since: minutes(4989), before: 4992, limit: 10, ..all };
        assert_eq!(numbers(since), [4991, 4989], "past the one from before");
        let plan: String = connection
            .query_row(
                "EXPLAIN QUERY PLAN SELECT number FROM audit
                 WHERE number < 9 AND user = 'ada' COLLATE NOCASE ORDER BY number DESC",
                (),
                |row| row.get(3),
            )
            .unwrap();
        assert!(plan.contains("audit_by_user"), "{plan}");
    }
}
