//! Queries about what happened.

use skrei_job::{JobId, Timestamp};
use skrei_ledger::rusqlite::{Result, Row, params};
use skrei_scheduler::history::Entry;

use super::{Error, Position, Store, row};

/// A history entry and its place in the log.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) position: Position,
    pub(crate) entry: Entry,
}

/// Which part of a job's history.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryQuery {
    /// Entries after this number.
    pub(crate) after: u64,
    /// 0 means all versions.
    pub(crate) version: u64,
    /// Job level only, or execution level only.
    pub(crate) executions: Option<bool>,
    /// Empty, or the beginning of an execution's id.
    pub(crate) execution: String,
    /// Entries from this time on.
    pub(crate) since: Timestamp,
    pub(crate) limit: usize,
}

/// Part of a job's history.
#[derive(Clone, Debug, Default)]
pub(crate) struct HistoryPage {
    pub(crate) entries: Vec<Entry>,
    /// Number of the last entry that was looked at.
    pub(crate) seen: u64,
    /// Whether more are stored.
    pub(crate) more: bool,
}

impl Store {
    /// A page of a job's history, ascending.
    pub(crate) async fn history(
        &self,
        job: JobId,
        query: HistoryQuery,
    ) -> std::result::Result<HistoryPage, Error> {
        self.read(move |connection| {
            let sql = "SELECT position, entry FROM history
                WHERE job = (SELECT seq FROM job WHERE id = ?1) AND number > ?2 ORDER BY number";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![job.as_str(), row::signed(query.after)])?;
            let mut page = HistoryPage { seen: query.after, ..HistoryPage::default() };
            while let Some(row) = rows.next()? {
                if page.entries.len() == query.limit {
                    page.more = true;
                    break;
                }
                let Placed { entry, .. } = placed(row)?;
                page.seen = entry.number;
                if query.wants(&entry) {
                    page.entries.push(entry);
                }
            }
            Ok(page)
        })
        .await
    }

    /// Entries after a position of the log, of one job or of all.
    pub(crate) async fn entries_after(
        &self,
        position: Position,
        job: Option<JobId>,
        limit: usize,
    ) -> std::result::Result<Vec<Placed>, Error> {
        self.read(move |connection| match job {
            Some(job) => connection
                .prepare_cached(
                    "SELECT position, entry FROM history
                     WHERE job = (SELECT seq FROM job WHERE id = ?1) AND position > ?2
                     ORDER BY number LIMIT ?3",
                )?
                .query_map(params![job.as_str(), row::signed(position), limit as i64], placed)?
                .collect(),
            None => connection
                .prepare_cached(
                    "SELECT position, entry FROM history WHERE position > ?1 ORDER BY position LIMIT ?2",
                )?
                .query_map(params![row::signed(position), limit as i64], placed)?
                .collect(),
        })
        .await
    }
}

impl HistoryQuery {
    fn wants(&self, entry: &Entry) -> bool {
        entry.at >= self.since
            && (self.version == 0 || entry.version == self.version)
            && self.executions.is_none_or(|executions| executions == entry.execution.is_some())
            && (self.execution.is_empty()
                || entry.execution.as_ref().is_some_and(|id| id.as_str().starts_with(&self.execution)))
    }
}

fn placed(row: &Row<'_>) -> Result<Placed> {
    Ok(Placed { position: row::unsigned(row.get(0)?), entry: row::parse(row.get_ref(1)?.as_str()?)? })
}
