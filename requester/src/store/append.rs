//! From records to rows.

use skrei_job::{JobId, Timestamp, life::Execution};
use skrei_ledger::rusqlite::{Error, Result, Transaction, params};
use skrei_scheduler::{Job, JobChange, Progress, Record, history::Entry};

use super::{Position, grants, row};

/// A day: whoever repeats a submission does so soon.
const TOKEN_KEPT_NANOS: i64 = 86_400 * 1_000_000_000;

/// Stores the records at the expected position of the log.
pub(super) fn append(transaction: &Transaction<'_>, expected: Position, records: &[Record]) -> Result<()> {
    let moved = transaction
        .prepare_cached("UPDATE log SET position = ?2 WHERE position = ?1")?
        .execute(params![row::signed(expected), row::signed(expected + records.len() as u64)])?;
    if moved != 1 {
        return Err(Error::StatementChangedRows(moved));
    }
    for (position, record) in (expected + 1..).zip(records) {
        match record {
            Record::JobAccepted(job) => job_accepted(transaction, job)?,
            Record::Submitted { token, job, version, at } => {
                submitted(transaction, token, job, *version, *at)?;
            }
            Record::SecretsGranted { job, version, grants } => {
                grants::granted(transaction, job, *version, grants)?;
            }
            Record::JobChanged(change) => job_changed(transaction, change)?,
            Record::ProgressChanged { job, progress } => progress_changed(transaction, job, progress)?,
            Record::ExecutionChanged(execution) => execution_changed(transaction, execution)?,
            Record::History(entry) => history(transaction, position, entry)?,
            Record::NodeChanged(node) => {
                transaction
                    .prepare_cached("INSERT OR REPLACE INTO node (id, node) VALUES (?1, ?2)")?
                    .execute(params![node.info.id.as_str(), row::json(node)?])?;
            }
            Record::NodeForgotten(node) => {
                transaction.prepare_cached("DELETE FROM node WHERE id = ?1")?.execute([node.as_str()])?;
            }
        }
    }
    Ok(())
}

fn job_accepted(transaction: &Transaction<'_>, job: &Job) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO job (id, namespace, name, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![job.id.as_str(), job.spec.namespace(), job.spec.name(), job.created.as_nanos()])?;
    if job.version > 1 {
        replaced(transaction, &job.id)?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO job_version (job, version, submitted, spec)
             VALUES ((SELECT seq FROM job WHERE id = ?1), ?2, ?3, ?4)",
        )?
        .execute(params![
            job.id.as_str(),
            row::signed(job.version),
            job.submitted.as_nanos(),
            row::json(job.spec.manifest())?
        ])?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO job_state (job, version, revision, state, message, modified)
             VALUES ((SELECT seq FROM job WHERE id = ?1), ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            job.id.as_str(),
            row::signed(job.version),
            row::signed(job.revision),
            row::state_number(job.state),
            job.message,
            job.modified.as_nanos()
        ])?;
    labels(transaction, job)
}

/// Keeps how the version stood that is the latest until now.
fn replaced(transaction: &Transaction<'_>, job: &JobId) -> Result<()> {
    transaction
        .prepare_cached(
            "UPDATE job_version SET state = latest.state, message = latest.message, revision = latest.revision
             FROM job_state latest
             WHERE latest.job = (SELECT seq FROM job WHERE id = ?1)
               AND job_version.job = latest.job AND job_version.version = latest.version",
        )?
        .execute([job.as_str()])?;
    Ok(())
}

/// A list shows jobs by the labels of their latest version.
fn labels(transaction: &Transaction<'_>, job: &Job) -> Result<()> {
    if job.version > 1 {
        transaction
            .prepare_cached("DELETE FROM job_label WHERE job = (SELECT seq FROM job WHERE id = ?1)")?
            .execute([job.id.as_str()])?;
    }
    for (key, value) in &job.spec.manifest().labels {
        transaction
            .prepare_cached(
                "INSERT INTO job_label (key, value, job) VALUES (?1, ?2, (SELECT seq FROM job WHERE id = ?3))",
            )?
            .execute(params![key, value, job.id.as_str()])?;
    }
    Ok(())
}

fn submitted(
    transaction: &Transaction<'_>,
    token: &str,
    job: &JobId,
    version: u64,
    at: Timestamp,
) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO submission (token, job, version, at) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![token, job.as_str(), row::signed(version), at.as_nanos()])?;
    let oldest = at.as_nanos().saturating_sub(TOKEN_KEPT_NANOS);
    transaction.prepare_cached("DELETE FROM submission WHERE at < ?1")?.execute([oldest])?;
    Ok(())
}

fn job_changed(transaction: &Transaction<'_>, change: &JobChange) -> Result<()> {
    transaction
        .prepare_cached(
            "UPDATE job_state SET version = ?2, revision = ?3, state = ?4, message = ?5, modified = ?6
             WHERE job = (SELECT seq FROM job WHERE id = ?1)",
        )?
        .execute(params![
            change.job.as_str(),
            row::signed(change.version),
            row::signed(change.revision),
            row::state_number(change.state),
            change.message,
            change.modified.as_nanos()
        ])?;
    if change.state.is_terminal() {
        grants::forget_given(transaction, &change.job, change.version)?;
    }
    Ok(())
}

fn progress_changed(transaction: &Transaction<'_>, job: &JobId, progress: &Progress) -> Result<()> {
    transaction
        .prepare_cached("UPDATE job_state SET progress = ?2 WHERE job = (SELECT seq FROM job WHERE id = ?1)")?
        .execute(params![job.as_str(), row::json(progress)?])?;
    Ok(())
}

fn execution_changed(transaction: &Transaction<'_>, execution: &Execution) -> Result<()> {
    if execution.revision == 1 {
        transaction
            .prepare_cached(
                "INSERT INTO execution (id, job, version, node, partition, attempt, created)
                 VALUES (?1, (SELECT seq FROM job WHERE id = ?2), ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                execution.id.as_str(),
                execution.job.as_str(),
                row::signed(execution.version),
                execution.node.as_str(),
                execution.partition,
                execution.attempt,
                execution.created.as_nanos()
            ])?;
    }
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO execution_state (execution, revision, state, modified)
             VALUES ((SELECT seq FROM execution WHERE id = ?1
                      AND job = (SELECT seq FROM job WHERE id = ?5)), ?2, ?3, ?4)",
        )?
        .execute(params![
            execution.id.as_str(),
            row::signed(execution.revision),
            row::json(&execution.state)?,
            execution.modified.as_nanos(),
            execution.job.as_str()
        ])?;
    Ok(())
}

fn history(transaction: &Transaction<'_>, position: Position, entry: &Entry) -> Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO history (position, job, number, entry)
             VALUES (?1, (SELECT seq FROM job WHERE id = ?2), ?3, ?4)",
        )?
        .execute(params![
            row::signed(position),
            entry.job.as_str(),
            row::signed(entry.number),
            row::json(entry)?
        ])?;
    Ok(())
}
