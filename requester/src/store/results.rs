//! Which archives of results are held. They are no decisions, so they are no records: a row follows its file.

use std::collections::BTreeMap;

use skrei_job::{Digest, ExecutionId, JobId, Timestamp, life::Execution};
use skrei_ledger::rusqlite::{OptionalExtension, Result, Row, params};

use super::{Error, Store, executions, row};

/// An archive of results that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) execution: ExecutionId,
    pub(crate) job: JobId,
    /// What its URL cannot be guessed without.
    pub(crate) token: [u8; 16],
    pub(crate) digest: Digest,
    pub(crate) bytes: u64,
    pub(crate) at: Timestamp,
}

const COLUMNS: &str =
    "result.execution, result.job, result.token, result.digest, result.bytes, result.at FROM result";

impl Store {
    /// An execution of a job.
    pub(crate) async fn execution(
        &self,
        job: JobId,
        execution: ExecutionId,
    ) -> std::result::Result<Option<Execution>, Error> {
        self.read(move |connection| executions::one(connection, &job, &execution)).await
    }

    /// Writes down that an archive is held, in the place of an earlier one of that execution. On disk when this returns.
    pub(crate) async fn keep_result(&self, held: Held) -> std::result::Result<(), Error> {
        let change = self.ledger.write(move |transaction| {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO result (execution, job, token, digest, bytes, at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![
                    held.execution.as_str(),
                    held.job.as_str(),
                    held.token,
                    held.digest.to_string(),
                    row::signed(held.bytes),
                    held.at.as_nanos()
                ])?;
            Ok(())
        });
        change.await.wait().await
    }

    /// The archive of an execution, if it is held.
    pub(crate) async fn result(&self, execution: ExecutionId) -> std::result::Result<Option<Held>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} WHERE execution = ?1");
            connection.prepare_cached(&sql)?.query_row([execution.as_str()], held).optional()
        })
        .await
    }

    /// The archives that are held of a job, by execution.
    pub(crate) async fn results_of(
        &self,
        job: JobId,
    ) -> std::result::Result<BTreeMap<ExecutionId, Held>, Error> {
        self.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} WHERE job = ?1");
            let rows = connection
                .prepare_cached(&sql)?
                .query_map([job.as_str()], held)?
                .collect::<Result<Vec<_>>>()?;
            Ok(rows.into_iter().map(|held| (held.execution.clone(), held)).collect())
        })
        .await
    }

    /// How much all archives have together, in bytes.
    pub(crate) async fn result_bytes(&self) -> std::result::Result<u64, Error> {
        self.read(|connection| {
            connection
                .query_row("SELECT coalesce(sum(bytes), 0) FROM result", (), |row| row.get(0))
                .map(row::unsigned)
        })
        .await
    }

    /// The archives of jobs that have ended, or are no longer there, from the oldest on.
    pub(crate) async fn results_to_spare(&self, max: u32) -> std::result::Result<Vec<Held>, Error> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} LEFT JOIN job ON job.id = result.job LEFT JOIN job_state state ON state.job = job.seq
                 WHERE state.state IS NULL OR state.state > ?1 ORDER BY result.seq LIMIT ?2"
            );
            connection.prepare_cached(&sql)?.query_map(params![row::LIVE_STATE_MAX, max], held)?.collect()
        })
        .await
    }

    /// Every execution whose results are held.
    pub(crate) async fn executions_with_results(&self) -> std::result::Result<Vec<ExecutionId>, Error> {
        self.read(|connection| {
            let id = |row: &Row<'_>| row.get::<_, String>(0).map(ExecutionId::new);
            connection.prepare("SELECT execution FROM result")?.query_map((), id)?.collect()
        })
        .await
    }

    /// Writes down that archives are no longer held; gives how much those had that were, in bytes.
    pub(crate) async fn forget_results(
        &self,
        executions: Vec<ExecutionId>,
    ) -> std::result::Result<u64, Error> {
        let change = self.ledger.write(move |transaction| {
            let mut forget =
                transaction.prepare_cached("DELETE FROM result WHERE execution = ?1 RETURNING bytes")?;
            executions.iter().try_fold(0, |all, execution| {
                let bytes: Option<i64> =
                    forget.query_row([execution.as_str()], |row| row.get(0)).optional()?;
                Ok(all + bytes.map_or(0, row::unsigned))
            })
        });
        change.await.wait().await
    }
}

fn held(row: &Row<'_>) -> Result<Held> {
    Ok(Held {
        execution: ExecutionId::new(row.get::<_, String>(0)?),
        job: JobId::new(row.get::<_, String>(1)?),
        token: row.get(2)?,
        digest: row::parse(&format!("\"{}\"", row.get_ref(3)?.as_str()?))?,
        bytes: row::unsigned(row.get(4)?),
        at: row::time(row.get(5)?),
    })
}
