//! Removing jobs that ended long ago.

use skrei_job::{JobId, Timestamp};
use skrei_ledger::rusqlite::{OptionalExtension, Result, Transaction, params};

use super::{Error, Store, row};

/// A job that may be removed, as it was when that was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Removable {
    pub(crate) id: JobId,
    pub(crate) revision: u64,
}

impl Store {
    /// How many jobs have ended. Counts them.
    pub(crate) async fn ended(&self) -> std::result::Result<u64, Error> {
        self.read(|connection| {
            connection
                .query_row("SELECT count(*) FROM job_state WHERE state > 3", (), |row| row.get(0))
                .map(row::unsigned)
        })
        .await
    }

    /// The jobs that ended longest ago, at most so many: those that ended before a time, and the first `beyond`. Neither
    /// counts jobs that go on. The first `passed_over` of all are left out.
    pub(crate) async fn removable(
        &self,
        ended_before: Option<Timestamp>,
        beyond: u64,
        passed_over: u64,
        max: usize,
    ) -> std::result::Result<Vec<Removable>, Error> {
        self.read(move |connection| {
            let before = ended_before.map_or(i64::MIN, Timestamp::as_nanos);
            let sql = "SELECT job.id, state.revision, state.modified
                FROM job_state state JOIN job ON job.seq = state.job
                WHERE state.state > 3 ORDER BY state.modified LIMIT ?1 OFFSET ?2";
            let mut statement = connection.prepare_cached(sql)?;
            let sqlite = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
            let mut rows = statement.query((sqlite(max as u64), sqlite(passed_over)))?;
            let mut removable = Vec::new();
            while let Some(row) = rows.next()? {
                if row.get::<_, i64>(2)? >= before && passed_over + removable.len() as u64 >= beyond {
                    break;
                }
                let id = JobId::new(row.get::<_, String>(0)?);
                removable.push(Removable { id, revision: row::unsigned(row.get(1)?) });
            }
            Ok(removable)
        })
        .await
    }

    /// Removes jobs with everything that is known of them, as far as they are still as they were. Returns how many
    /// those were.
    pub(crate) async fn remove(&self, jobs: Vec<Removable>) -> std::result::Result<usize, Error> {
        let change = self.ledger.write(move |transaction| {
            jobs.iter().try_fold(0, |removed, job| Ok(removed + usize::from(remove(transaction, job)?)))
        });
        change.await.wait().await
    }
}

/// A job that changed meanwhile stays: it may live again.
fn remove(transaction: &Transaction<'_>, Removable { id, revision }: &Removable) -> Result<bool> {
    let found: Option<i64> = transaction
        .prepare_cached(
            "SELECT job.seq FROM job JOIN job_state state ON state.job = job.seq
             WHERE job.id = ?1 AND state.revision = ?2 AND state.state > 3",
        )?
        .query_row(params![id.as_str(), row::signed(*revision)], |row| row.get(0))
        .optional()?;
    let Some(job) = found else { return Ok(false) };
    for sql in [
        "UPDATE log SET forgotten =
             max(forgotten, (SELECT coalesce(max(position), 0) FROM history WHERE job = ?1))",
        "DELETE FROM execution_state WHERE execution IN (SELECT seq FROM execution WHERE job = ?1)",
        "DELETE FROM execution WHERE job = ?1",
        "DELETE FROM history WHERE job = ?1",
        "DELETE FROM job_label WHERE job = ?1",
        "DELETE FROM job_version WHERE job = ?1",
        "DELETE FROM job_state WHERE job = ?1",
        "DELETE FROM secret_grant WHERE job = (SELECT id FROM job WHERE seq = ?1)",
        "DELETE FROM job WHERE seq = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([job])?;
    }
    Ok(true)
}
