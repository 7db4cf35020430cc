//! The journal: which executions started, how they ended, and what of that is still to be reported.
//!
//! An execution is written down before its guest starts, so it starts at most once; its outcome, its output and
//! the report of it are written in one change, so none is ever without the others. The orchestrator hears only
//! what is on disk: reports are read from here, in the order of their numbers, until they are acknowledged.
//! What had started and has no outcome when the journal is opened was interrupted, and is said to have been.
//!
//! While the disk does not take what is to be written, it waits in memory ([`Journal::unwell`]) and is written when there is
//! room: a guest that is done is not made to have been interrupted by a full disk.

mod patience;
mod prune;
mod schema;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use skrei_job::{
    ExecutionId,
    life::ExecutionState,
    outcome::{Cause, Failure, RunOutput},
};
use skrei_ledger::{
    Error, Ledger,
    rusqlite::{self, Transaction},
};
use skrei_protocol::link::Report;
use tokio::sync::{Notify, watch};

use self::patience::Patience;
pub use self::patience::Waiting;
use crate::{output::Recording, publish::Parcel};

/// Ends between two prunings: seldom enough to cost nothing, often enough to stay near the bounds.
const ENDS_BETWEEN_PRUNINGS: u64 = 2048;

/// The outcome of a guest that is done, kept back until its results have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The results on their way.
    pub parcel: Parcel,
    /// The outcome, as far as it does not depend on them.
    pub state: ExecutionState,
}

/// Bytes of output between two sweeps of it: what may be kept above the bound.
const PRINTED_BETWEEN_SWEEPS: u64 = 64 << 20;

/// Logs dropped in one change, so that nobody waits long behind it.
const LOGS_DROPPED_AT_ONCE: usize = 200;

/// The journal of one node.
#[derive(Debug)]
pub struct Journal {
    ledger: Ledger,
    /// Number of the last report of each execution that ended, as long as its row is kept.
    ended: Mutex<BTreeMap<ExecutionId, u64>>,
    /// The highest number that is on disk.
    latest: watch::Sender<u64>,
    /// The highest number the orchestrator has.
    acknowledged: watch::Sender<u64>,
    /// How much of that is on disk.
    forgotten: AtomicU64,
    ends: AtomicU64,
    /// Bytes of output since the last sweep.
    printed: AtomicU64,
    much_printed: Notify,
    patience: Patience,
}

impl Journal {
    /// Opens or makes the journal. Executions that had started and not ended are ended as interrupted.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let ledger = Ledger::open(path, schema::MIGRATIONS)?;
        let change = ledger.write(|transaction| {
            schema::seed(transaction)?;
            for execution in schema::unfinished(transaction)? {
                let number = report(transaction, &execution, &interrupted())?;
                end(transaction, &execution, number, &interrupted())?;
            }
            Ok((schema::ended(transaction)?, schema::numbers(transaction)?))
        });
        let (ended, (first, latest)) = change.await.wait().await?;
        let acknowledged = first.map_or(latest, |first| first - 1);
        Ok(Self {
            ledger,
            ended: Mutex::new(ended),
            latest: watch::channel(latest).0,
            acknowledged: watch::channel(acknowledged).0,
            forgotten: AtomicU64::new(acknowledged),
            ends: AtomicU64::new(0),
            printed: AtomicU64::new(0),
            much_printed: Notify::new(),
            patience: Patience::default(),
        })
    }

    /// Follows what waits for the disk: as long as anything does, the node is unwell.
    pub fn unwell(&self) -> watch::Receiver<Waiting> {
        self.patience.follow()
    }

    /// Writes a change down; one that the disk does not take is tried again until it does.
    async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&Transaction<'_>) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T, Error> {
        let change = Arc::new(change);
        let once = || async {
            let change = Arc::clone(&change);
            self.ledger.write(move |transaction| change(transaction)).await.wait().await
        };
        match once().await {
            Err(error) if error.may_pass() => self.patience.insist(error, once).await,
            written => written,
        }
    }

    /// Writes down that an execution starts, and the report of it. Returns once that is on disk, however long the disk
    /// does not take it.
    ///
    /// # Errors
    /// If the journal cannot be used any more, or the execution is written down already: then it must not start.
    pub async fn start(&self, execution: &ExecutionId) -> Result<(), Error> {
        let (id, forget) = (execution.clone(), self.to_forget());
        let change = self.write(move |transaction| {
            forget_reports(transaction, forget)?;
            transaction.prepare_cached("INSERT INTO execution (id) VALUES (?1)")?.execute([id.as_str()])?;
            report(transaction, &id, &ExecutionState::Running)
        });
        let number = change.await?;
        self.written(number);
        Ok(())
    }

    /// Writes down how an execution ended, its output, and the report of it. Returns once that is on disk, however long
    /// the disk does not take it. One that ended before stays as it is.
    ///
    /// # Errors
    /// If the journal cannot be used any more.
    pub async fn end(
        &self,
        execution: &ExecutionId,
        state: ExecutionState,
        output: Recording,
    ) -> Result<(), Error> {
        let (id, forget) = (execution.clone(), self.to_forget());
        let prune =
            self.ends.fetch_add(1, Ordering::Relaxed) % ENDS_BETWEEN_PRUNINGS == ENDS_BETWEEN_PRUNINGS - 1;
        let acknowledged = self.acknowledged();
        let printed = output.len();
        let change = self.write(move |transaction| {
            forget_reports(transaction, forget)?;
            if schema::has_ended(transaction, &id)? {
                return Ok(None);
            }
            let number = report(transaction, &id, &state)?;
            end(transaction, &id, number, &state)?;
            schema::remove_held(transaction, &id)?;
            if !output.is_empty() {
                schema::insert_log(transaction, &id, &output)?;
            }
            let pruned = if prune { prune::executions(transaction, acknowledged)? } else { Vec::new() };
            Ok(Some((number, pruned)))
        });
        if let Some((number, pruned)) = change.await? {
            {
                let mut ended = self.index();
                for execution in &pruned {
                    ended.remove(execution);
                }
                ended.insert(execution.clone(), number);
            }
            self.written(number);
            if self.printed.fetch_add(printed, Ordering::Relaxed) > PRINTED_BETWEEN_SWEEPS {
                self.printed.store(0, Ordering::Relaxed);
                self.much_printed.notify_one();
            }
        }
        Ok(())
    }

    /// Writes down the outcome and the output of a guest whose results are on their way. Nothing of it is reported before
    /// [`Journal::end`]. Returns once that is on disk, however long the disk does not take it.
    ///
    /// # Errors
    /// If the journal cannot be used any more.
    pub async fn hold(&self, held: &Held, output: Recording) -> Result<(), Error> {
        let held = held.clone();
        let change = self.write(move |transaction| {
            schema::insert_held(transaction, &held)?;
            if !output.is_empty() {
                schema::insert_log(transaction, &held.parcel.execution, &output)?;
            }
            Ok(())
        });
        change.await
    }

    /// Everything whose results are on their way.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn held(&self) -> Result<Vec<Held>, Error> {
        self.ledger.read(schema::held).await
    }

    /// Reports the end of an execution once more under a new number. Nothing happens if it is not known.
    ///
    /// # Errors
    /// If the journal cannot be used any more.
    pub async fn report_again(&self, execution: &ExecutionId) -> Result<(), Error> {
        let id = execution.clone();
        let change = self.write(move |transaction| {
            let Some(state) = schema::outcome(transaction, &id)? else { return Ok(None) };
            let number = report(transaction, &id, &state)?;
            end(transaction, &id, number, &state)?;
            Ok(Some(number))
        });
        if let Some(number) = change.await? {
            self.index().insert(execution.clone(), number);
            self.written(number);
        }
        Ok(())
    }

    /// The number of the report of an execution's end, if it ended.
    pub fn ended(&self, execution: &ExecutionId) -> Option<u64> {
        self.index().get(execution).copied()
    }

    /// What is still to be reported after a number, in order, at most `max` of it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn reports(&self, after: u64, max: usize) -> Result<Vec<Report>, Error> {
        let after = after.max(self.acknowledged());
        self.ledger.read(move |connection| schema::reports(connection, after, max)).await
    }

    /// The output of an execution that ended, if it is still kept.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub async fn output(&self, execution: &ExecutionId) -> Result<Option<Recording>, Error> {
        let id = execution.clone();
        self.ledger.read(move |connection| schema::log(connection, &id)).await
    }

    /// Drops output that ended longer ago than `age`, and the oldest beyond `bytes_max` in all. Of each log it is
    /// remembered how long it was.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub async fn drop_old_output(&self, age: Option<Duration>, bytes_max: u64) -> Result<usize, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let before = age.map_or(0, |age| now.saturating_sub(age).as_secs());
        let before = i64::try_from(before).unwrap_or(0);
        let up_to =
            self.ledger.read(move |connection| prune::last_to_go(connection, before, bytes_max)).await?;
        let Some(up_to) = up_to else { return Ok(0) };
        let mut all = 0;
        loop {
            let change = self
                .ledger
                .write(move |transaction| prune::drop_logs(transaction, up_to, LOGS_DROPPED_AT_ONCE));
            match change.await.wait().await? {
                0 => return Ok(all),
                dropped => all += dropped,
            }
        }
    }

    /// Waits until so much was printed that the bound may be passed.
    pub async fn much_printed(&self) {
        self.much_printed.notified().await;
    }

    /// Takes note that the orchestrator has the reports up to a number. They are forgotten with the next change.
    pub fn acknowledge(&self, number: u64) {
        let number = number.min(*self.latest.borrow());
        raise(&self.acknowledged, number);
    }

    /// The highest number the orchestrator has.
    pub fn acknowledged(&self) -> u64 {
        *self.acknowledged.borrow()
    }

    /// Follows the highest number that is on disk.
    pub fn latest(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    /// Follows the highest number the orchestrator has.
    pub fn follow_acknowledged(&self) -> watch::Receiver<u64> {
        self.acknowledged.subscribe()
    }

    /// Forgets acknowledged reports on disk, if no change has done so on its way.
    pub async fn forget_acknowledged(&self) {
        if let Some(number) = self.to_forget() {
            // Nobody waits for this one: a report that is not forgotten is sent again, which is harmless.
            drop(self.ledger.write(move |transaction| forget_reports(transaction, Some(number))).await);
        }
    }

    fn to_forget(&self) -> Option<u64> {
        let acknowledged = self.acknowledged();
        (self.forgotten.fetch_max(acknowledged, Ordering::Relaxed) < acknowledged).then_some(acknowledged)
    }

    fn written(&self, number: u64) {
        raise(&self.latest, number);
    }

    fn index(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, u64>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn raise(number: &watch::Sender<u64>, to: u64) {
    number.send_if_modified(|number| {
        let grows = to > *number;
        *number = to.max(*number);
        grows
    });
}

fn report(
    transaction: &Transaction<'_>,
    execution: &ExecutionId,
    state: &ExecutionState,
) -> rusqlite::Result<u64> {
    transaction
        .prepare_cached("INSERT INTO report (execution, state) VALUES (?1, ?2)")?
        .execute((execution.as_str(), schema::to_json(state)?))?;
    Ok(transaction.last_insert_rowid().cast_unsigned())
}

fn end(
    transaction: &Transaction<'_>,
    execution: &ExecutionId,
    number: u64,
    state: &ExecutionState,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO execution (id, ended, outcome) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, outcome = excluded.outcome",
        )?
        .execute((execution.as_str(), number.cast_signed(), schema::to_json(state)?))?;
    Ok(())
}

fn forget_reports(transaction: &Transaction<'_>, up_to: Option<u64>) -> rusqlite::Result<()> {
    if let Some(number) = up_to {
        transaction
            .prepare_cached("DELETE FROM report WHERE number <= ?1")?
            .execute([number.cast_signed()])?;
    }
    Ok(())
}

fn interrupted() -> ExecutionState {
    ExecutionState::Failed(Failure {
        cause: Cause::Interrupted,
        message: "the node stopped while the guest ran".to_owned(),
        hint: Some(
            "what the guest had done by then stays done; run the job again if that is safe".to_owned(),
        ),
        output: RunOutput::default(),
    })
}

#[cfg(test)]
mod tests;
