//! Queries about jobs.

use std::{collections::BTreeSet, sync::Arc};

use skrei_job::{Digest, JobId, Manifest, Timestamp, life::JobState, manifest::InputSource};
use skrei_ledger::rusqlite::{Connection, OptionalExtension, Result, Row, params};
use skrei_scheduler::{Job, Progress};

use super::{Error, Store, row};

/// A job as stored, at one of its versions.
#[derive(Clone, Debug)]
pub(crate) struct StoredJob {
    pub(crate) id: JobId,
    pub(crate) manifest: Manifest,
    pub(crate) version: u64,
    pub(crate) revision: u64,
    pub(crate) state: JobState,
    pub(crate) message: String,
    pub(crate) created: Timestamp,
    pub(crate) submitted: Timestamp,
    pub(crate) modified: Timestamp,
    /// Number of the last history entry.
    pub(crate) history: u64,
    /// How far the latest version has come, as far as its executions do not tell.
    pub(crate) progress: Progress,
}

pub(super) const COLUMNS: &str =
    "job.id, version.spec, state.version, state.revision, state.state, state.message,
    job.created, version.submitted, state.modified,
    (SELECT coalesce(max(number), 0) FROM history WHERE history.job = job.seq), state.progress";

pub(super) const FROM: &str = "FROM job JOIN job_state state ON state.job = job.seq
    JOIN job_version version ON version.job = job.seq AND version.version = state.version";

/// A page of versions ends early when they, as stored, have so many bytes: each may carry a module of several megabytes.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// What a version says whose job went on with a later one before it had ended.
const REPLACED: &str = "replaced by a later version";

/// One version of a job.
#[derive(Clone, Debug)]
pub(crate) struct StoredVersion {
    pub(crate) version: u64,
    pub(crate) submitted: Timestamp,
    pub(crate) manifest: Manifest,
    /// State, message and revision when a later version took its place. None: it is the latest, or an older program did
    /// not keep them.
    replaced: Option<(JobState, String, u64)>,
}

/// Part of the versions of a job.
#[derive(Clone, Debug, Default)]
pub(crate) struct VersionPage {
    pub(crate) versions: Vec<StoredVersion>,
    /// Whether there are later ones.
    pub(crate) more: bool,
}

const VERSION: &str = "SELECT version, submitted, spec, state, message, revision FROM job_version
    WHERE job = (SELECT seq FROM job WHERE id = ?1)";

/// Hits of a short id that are looked at; more than one is already too many.
const SHORT_ID_HITS: usize = 2;

impl Store {
    /// Jobs that `text` may stand for: one by name in the namespace, else by id or the beginning of one.
    pub(crate) async fn find_jobs(
        &self,
        namespace: String,
        text: String,
    ) -> std::result::Result<Vec<StoredJob>, Error> {
        self.read(move |connection| {
            if let Some(job) = by_name(connection, &namespace, &text)? {
                return Ok(vec![job]);
            }
            let end = format!("{text}\u{10ffff}");
            let sql =
                format!("SELECT {COLUMNS} {FROM} WHERE job.id >= ?1 AND job.id < ?2 LIMIT {SHORT_ID_HITS}");
            connection.prepare_cached(&sql)?.query_map([&text, &end], stored)?.collect()
        })
        .await
    }

    /// The job of this name; for the event loop, which has its own thread.
    pub(crate) fn job_by_name(
        &self,
        namespace: &str,
        name: &str,
    ) -> std::result::Result<Option<StoredJob>, Error> {
        self.ledger.read_blocking(|connection| by_name(connection, namespace, name))
    }

    /// The job of this id; for the event loop, which has its own thread.
    pub(crate) fn job_by_id(&self, id: &JobId) -> std::result::Result<Option<StoredJob>, Error> {
        self.ledger.read_blocking(|connection| {
            let sql = format!("SELECT {COLUMNS} {FROM} WHERE job.id = ?1");
            connection.prepare_cached(&sql)?.query_row([id.as_str()], stored).optional()
        })
    }

    /// What a submission with this token was answered; for the event loop, which has its own thread.
    pub(crate) fn submission(&self, token: &str) -> std::result::Result<Option<(JobId, u64)>, Error> {
        self.ledger.read_blocking(|connection| {
            let sql = "SELECT job, version FROM submission WHERE token = ?1";
            let answer =
                |row: &Row<'_>| Ok((JobId::new(row.get::<_, String>(0)?), row::unsigned(row.get(1)?)));
            connection.prepare_cached(sql)?.query_row([token], answer).optional()
        })
    }

    /// One version of a job.
    pub(crate) async fn job_version(
        &self,
        job: JobId,
        version: u64,
    ) -> std::result::Result<Option<StoredVersion>, Error> {
        self.read(move |connection| {
            let sql = format!("{VERSION} AND version = ?2");
            let found = params![job.as_str(), row::signed(version)];
            connection.prepare_cached(&sql)?.query_row(found, stored_version).optional()
        })
        .await
    }

    /// The versions of a job after one, the first one first, at most so many.
    pub(crate) async fn job_versions(
        &self,
        job: JobId,
        after: u64,
        limit: usize,
    ) -> std::result::Result<VersionPage, Error> {
        self.read(move |connection| {
            let sql = format!("{VERSION} AND version > ?2 ORDER BY version");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![job.as_str(), row::signed(after)])?;
            let (mut page, mut bytes) = (VersionPage::default(), 0);
            while let Some(row) = rows.next()? {
                let size = row.get_ref(2)?.as_str()?.len();
                if page.versions.len() == limit || (bytes > 0 && bytes + size > PAGE_BYTES_MAX) {
                    page.more = true;
                    break;
                }
                bytes += size;
                page.versions.push(stored_version(row)?);
            }
            Ok(page)
        })
        .await
    }

    /// The artifacts that jobs need which have not ended.
    pub(crate) async fn live_artifacts(&self) -> std::result::Result<BTreeSet<Digest>, Error> {
        self.read(|connection| {
            Ok(live(connection)?.iter().flat_map(|job| artifacts(&job.manifest)).collect())
        })
        .await
    }
}

/// The artifacts that a job names.
pub(crate) fn artifacts(manifest: &Manifest) -> Vec<Digest> {
    let inputs = manifest.tasks.iter().flat_map(|task| &task.input_sources);
    let digest = |input: &InputSource| {
        let is_artifact = input.source.kind.eq_ignore_ascii_case("artifact");
        let digest = input.source.params.get("Digest").filter(|_| is_artifact)?;
        digest.as_str()?.trim().parse().ok()
    };
    inputs.filter_map(digest).collect()
}

fn by_name(connection: &Connection, namespace: &str, name: &str) -> Result<Option<StoredJob>> {
    let sql =
        format!("SELECT {COLUMNS} {FROM} WHERE job.namespace = ?1 AND job.name = ?2 AND job.name <> job.id");
    connection.prepare_cached(&sql)?.query_row([namespace, name], stored).optional()
}

/// All jobs that have not ended.
pub(super) fn live(connection: &Connection) -> Result<Vec<StoredJob>> {
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE state.state <= ?1 ORDER BY job.seq");
    connection.prepare_cached(&sql)?.query_map([row::LIVE_STATE_MAX], stored)?.collect()
}

pub(super) fn stored(row: &Row<'_>) -> Result<StoredJob> {
    Ok(StoredJob {
        id: JobId::new(row.get::<_, String>(0)?),
        manifest: row::parse(row.get_ref(1)?.as_str()?)?,
        version: row::unsigned(row.get(2)?),
        revision: row::unsigned(row.get(3)?),
        state: row::state(row.get(4)?)?,
        message: row.get(5)?,
        created: row::time(row.get(6)?),
        submitted: row::time(row.get(7)?),
        modified: row::time(row.get(8)?),
        history: row::unsigned(row.get(9)?),
        progress: match row.get_ref(10)?.as_str()? {
            "" => Progress::default(),
            text => row::parse(text)?,
        },
    })
}

fn stored_version(row: &Row<'_>) -> Result<StoredVersion> {
    let replaced = match row.get(3)? {
        Some(state) => Some((row::state(state)?, row.get(4)?, row::unsigned(row.get(5)?))),
        None => None,
    };
    Ok(StoredVersion {
        version: row::unsigned(row.get(0)?),
        submitted: row::time(row.get(1)?),
        manifest: row::parse(row.get_ref(2)?.as_str()?)?,
        replaced,
    })
}

impl StoredJob {
    /// The job as it was at one of its versions: where that ended, or that it was replaced. It was last modified when it was
    /// submitted; clients show that as the time it was made.
    pub(crate) fn at(self, version: StoredVersion) -> Self {
        let (latest, StoredVersion { version, submitted, manifest, replaced }) = (self.version, version);
        let at = Self { version, submitted, manifest, modified: submitted, ..self };
        if version == latest {
            return at;
        }
        let (state, message, revision) = match replaced {
            Some((state, message, revision)) if state.is_terminal() => (state, message, revision),
            Some((_, _, revision)) => (JobState::Stopped, REPLACED.to_owned(), revision),
            None => (JobState::Stopped, REPLACED.to_owned(), at.revision),
        };
        Self { state, message, revision, progress: Progress::default(), ..at }
    }

    /// As the scheduler keeps it. None if the stored manifest no longer passes the checks of this version of the
    /// program.
    pub(crate) fn into_job(self) -> Option<Job> {
        Some(Job {
            id: self.id,
            version: self.version,
            revision: self.revision,
            spec: Arc::new(self.manifest.try_into().ok()?),
            state: self.state,
            message: self.message,
            created: self.created,
            submitted: self.submitted,
            modified: self.modified,
            progress: self.progress,
            next_history: self.history + 1,
        })
    }
}
