//! Queries about executions.

use skrei_job::{ExecutionId, JobId, NodeId, life::Execution};
use skrei_ledger::rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Error, Store, row};

/// A page ends early when its executions, as stored, have so many bytes: each may carry output and values.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// Executions whose ids begin the same that are looked at; more than one is already too many.
const SHORT_ID_HITS: usize = 2;

const COLUMNS: &str = "execution.id, job.id, execution.version, execution.node, execution.partition,
    execution.attempt, state.state, execution.created, state.modified, state.revision
    FROM execution JOIN execution_state state ON state.execution = execution.seq
    JOIN job ON job.seq = execution.job";

/// Which executions of a job, in which order, and how many.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExecutionQuery {
    /// 0 means all versions.
    pub(crate) version: u64,
    /// In the order of their last change, instead of that of their creation.
    pub(crate) by_change: bool,
    /// The last first.
    pub(crate) reverse: bool,
    /// Where the page before ended.
    pub(crate) after: Option<ExecutionCursor>,
    pub(crate) limit: usize,
}

/// An execution's place in both orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecutionCursor {
    /// In the order of creation.
    pub(crate) seq: i64,
    /// Nanoseconds since the epoch.
    pub(crate) modified: i64,
}

/// Part of the executions of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExecutionPage {
    pub(crate) executions: Vec<Execution>,
    /// Where the next page begins, if there is more.
    pub(crate) next: Option<ExecutionCursor>,
}

impl Store {
    /// The executions of one version of a job, or of all (`version` 0), in the order they were created.
    pub(crate) async fn executions(
        &self,
        job: JobId,
        version: u64,
    ) -> std::result::Result<Vec<Execution>, Error> {
        self.read(move |connection| of_job(connection, &job, version)).await
    }

    /// A page of a job's executions.
    pub(crate) async fn execution_page(
        &self,
        job: JobId,
        query: ExecutionQuery,
    ) -> std::result::Result<ExecutionPage, Error> {
        self.read(move |connection| page(connection, &job, &query)).await
    }

    /// The executions of a job with this id or this beginning of one, of one version or of all (`version` 0); two if there
    /// are more.
    pub(crate) async fn executions_called(
        &self,
        job: JobId,
        version: u64,
        text: String,
    ) -> std::result::Result<Vec<Execution>, Error> {
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} WHERE execution.job = (SELECT seq FROM job WHERE id = ?1)
                 AND execution.id >= ?2 AND execution.id < ?3 AND (?4 = 0 OR execution.version = ?4)
                 ORDER BY execution.id LIMIT {SHORT_ID_HITS}"
            );
            let end = format!("{text}\u{10ffff}");
            connection
                .prepare_cached(&sql)?
                .query_map(params![job.as_str(), text, end, row::signed(version)], stored)?
                .collect()
        })
        .await
    }
}

/// The order is found out over narrow rows; what may be large is read one by one, as long as there is room.
fn page(connection: &Connection, job: &JobId, query: &ExecutionQuery) -> Result<ExecutionPage> {
    let (direction, beyond) = if query.reverse { ("DESC", "<") } else { ("ASC", ">") };
    let (after, order) = match query.by_change {
        false => (format!("execution.seq {beyond} ?3"), format!("execution.seq {direction}")),
        true => (
            format!("(state.modified, execution.seq) {beyond} (?4, ?3)"),
            format!("state.modified {direction}, execution.seq {direction}"),
        ),
    };
    let sql = format!(
        "SELECT execution.seq, state.modified
         FROM execution JOIN execution_state state ON state.execution = execution.seq
         WHERE execution.job = (SELECT seq FROM job WHERE id = ?1) AND (?2 = 0 OR execution.version = ?2)
         AND (?5 OR {after}) ORDER BY {order} LIMIT ?6"
    );
    let ExecutionCursor { seq, modified } = query.after.unwrap_or_default();
    let places: Vec<ExecutionCursor> = connection
        .prepare_cached(&sql)?
        .query_map(
            params![
                job.as_str(),
                row::signed(query.version),
                seq,
                modified,
                query.after.is_none(),
                i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1)
            ],
            |row| Ok(ExecutionCursor { seq: row.get(0)?, modified: row.get(1)? }),
        )?
        .collect::<Result<_>>()?;
    let mut one = connection.prepare_cached(&format!("SELECT {COLUMNS} WHERE execution.seq = ?1"))?;
    let (mut page, mut bytes) = (ExecutionPage::default(), 0);
    let mut last = None;
    for place in places {
        let (execution, size) = one
            .query_row([place.seq], |row| Ok((stored(row)?, row.get_ref(6)?.as_str().map_or(0, str::len))))?;
        if page.executions.len() == query.limit || (bytes > 0 && bytes + size > PAGE_BYTES_MAX) {
            page.next = last;
            break;
        }
        bytes += size;
        last = Some(place);
        page.executions.push(execution);
    }
    Ok(page)
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
