//! Queries about executions.

use skrei_job::{ExecutionId, JobId, NodeId, life::Execution};
use skrei_ledger::rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Error, Store, row};

const COLUMNS: &str = "execution.id, job.id, execution.version, execution.node, execution.partition,
    execution.attempt, state.state, execution.created, state.modified, state.revision
    FROM execution JOIN execution_state state ON state.execution = execution.seq
    JOIN job ON job.seq = execution.job";

impl Store {
    /// The executions of one version of a job, or of all (`version` 0), in the order they were created.
    pub(crate) async fn executions(
        &self,
        job: JobId,
        version: u64,
    ) -> std::result::Result<Vec<Execution>, Error> {
        self.read(move |connection| of_job(connection, &job, version)).await
    }
}

pub(super) fn of_job(connection: &Connection, job: &JobId, version: u64) -> Result<Vec<Execution>> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE execution.job = (SELECT seq FROM job WHERE id = ?1)
         AND (?2 = 0 OR execution.version = ?2) ORDER BY execution.seq"
    );
    connection.prepare_cached(&sql)?.query_map(params![job.as_str(), row::signed(version)], stored)?.collect()
}

pub(super) fn one(
    connection: &Connection,
    job: &JobId,
    execution: &ExecutionId,
) -> Result<Option<Execution>> {
    let sql = format!(
        "SELECT {COLUMNS} WHERE execution.job = (SELECT seq FROM job WHERE id = ?1) AND execution.id = ?2"
    );
    connection.prepare_cached(&sql)?.query_row([job.as_str(), execution.as_str()], stored).optional()
}

fn stored(row: &Row<'_>) -> Result<Execution> {
    Ok(Execution {
        id: ExecutionId::new(row.get::<_, String>(0)?),
        job: JobId::new(row.get::<_, String>(1)?),
        version: row::unsigned(row.get(2)?),
        node: NodeId::new(row.get::<_, String>(3)?),
        partition: row.get(4)?,
        attempt: row.get(5)?,
        state: row::parse(row.get_ref(6)?.as_str()?)?,
        created: row::time(row.get(7)?),
        modified: row::time(row.get(8)?),
        revision: row::unsigned(row.get(9)?),
    })
}
