//! Results that nodes hand over: archives on disk, served to whoever has their URL.
//!
//! An archive comes in pieces ([`Incoming`]), is checked against its digest, and gets a row in the store together with a
//! random token. Its URL has both, so it can be given to a client without credentials and guessed by nobody.

mod name;

use std::{
    collections::BTreeSet,
    io,
    path::PathBuf,
    time::{Duration, SystemTime},
};

pub(crate) use name::Name;
use skrei_job::{ExecutionId, JobId, Timestamp};
use skrei_protocol::results::Piece;

use crate::{
    clock,
    incoming::{self, Incoming, Next, Whole},
    room::{Place, Room},
    store::{Held, Store},
};

/// Bounds on results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest archive of one execution, in bytes. Default 1 GiB.
    pub archive_bytes: u64,
    /// All archives together, in bytes; the oldest of jobs that have ended go first. Default 16 GiB
    /// (`Orchestrator.Results.MaxBytes`).
    pub bytes: u64,
    /// How long they are kept after the job has ended. Default 30 days (`Orchestrator.Results.Keep`).
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { archive_bytes: 1 << 30, bytes: 16 << 30, keep: Duration::from_secs(30 * 86_400) }
    }
}

/// Why a piece of an archive was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("an archive of results may have {bytes_max} bytes at most")]
    TooLarge { bytes_max: u64 },
    #[error("the orchestrator has no room: results take the {bytes_max} bytes that are kept for them")]
    Full { bytes_max: u64 },
    #[error("the orchestrator has no randomness to give")]
    NoRandomness,
    #[error(transparent)]
    Incoming(#[from] incoming::Error),
    #[error(transparent)]
    Store(#[from] skrei_ledger::Error),
}

/// Archives let go in one change of the store.
const SPARED_AT_ONCE: u32 = 100;

/// The results an orchestrator holds.
#[derive(Debug)]
pub(crate) struct Results {
    folder: PathBuf,
    incoming: Incoming,
    /// For archives that are held, and for those that come in.
    room: Room,
    limits: Limits,
    store: Store,
}

impl Results {
    /// Uses this folder; makes it if it is missing. To be [tidied](Self::tidy) before anything else.
    pub(crate) fn open(folder: PathBuf, limits: Limits, store: Store) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        let room = Room::new(limits.bytes);
        let incoming = Incoming::open(folder.join("incoming"), room.clone())?;
        Ok(Self { folder, incoming, room, limits, store })
    }

    /// Takes a piece in; gives how much there is. With the last one the archive is on disk, and served.
    pub(crate) async fn take(
        &self,
        (job, execution): (JobId, ExecutionId),
        piece: &Piece,
        content: bytes::Bytes,
    ) -> Result<u64, Error> {
        if let Some(held) = self.store.result(execution.clone()).await?
            && held.digest == piece.digest
        {
            return Ok(held.bytes);
        }
        if piece.size > self.limits.archive_bytes {
            return Err(Error::TooLarge { bytes_max: self.limits.archive_bytes });
        }
        let whole = Whole { slot: execution.to_string(), digest: piece.digest, size: piece.size };
        let turn = match self.incoming.next(whole, piece.offset)? {
            Next::At(received) => return Ok(received),
            Next::Piece(turn) => turn,
        };
        turn.promise(self.make_room(turn.lacks()).await?);
        let turn = turn.add(content).await?;
        let received = turn.received();
        if turn.is_whole() {
            let token = clock::random().map_err(|_| Error::NoRandomness)?;
            if let Some(replaced) = turn.finish(self.archive(&execution)).await? {
                self.room.free(replaced);
            }
            let (digest, bytes, at) = (piece.digest, piece.size, clock::now());
            self.store.keep_result(Held { execution, job, token, digest, bytes, at }).await?;
        }
        Ok(received)
    }

    /// What a name stands for, if it is the name of something.
    pub(crate) async fn find(&self, name: &Name) -> Result<Option<(Held, PathBuf)>, skrei_ledger::Error> {
        let held = self.store.result(name.execution.clone()).await?;
        let held = held.filter(|held| name.is_of(held));
        Ok(held.map(|held| {
            let path = self.archive(&held.execution);
            (held, path)
        }))
    }

    /// Room for so many bytes more: what nobody goes on with makes way, then the oldest archives of jobs that have ended.
    async fn make_room(&self, wanted: u64) -> Result<Place, Error> {
        if let Some(place) = self.room.reserve(wanted) {
            return Ok(place);
        }
        if wanted > self.limits.bytes {
            return Err(Error::Full { bytes_max: self.limits.bytes });
        }
        self.incoming.spare().await;
        loop {
            if let Some(place) = self.room.reserve(wanted) {
                return Ok(place);
            }
            let mut spare = self.store.results_to_spare(SPARED_AT_ONCE).await?;
            let mut bytes = 0_u64;
            let enough = spare.iter().position(|held| {
                bytes = bytes.saturating_add(held.bytes);
                bytes >= wanted
            });
            spare.truncate(enough.map_or(spare.len(), |last| last + 1));
            if spare.is_empty() {
                return Err(Error::Full { bytes_max: self.limits.bytes });
            }
            tracing::info!(archives = spare.len(), "old results make room");
            self.remove(spare).await?;
        }
    }

    /// Lets go of the results of a job that is to be removed.
    pub(crate) async fn remove_of(&self, job: &JobId) -> Result<(), skrei_ledger::Error> {
        let held: Vec<_> = self.store.results_of(job.clone()).await?.into_values().collect();
        if held.is_empty() {
            return Ok(());
        }
        self.remove(held).await
    }

    /// Lets go of what is too old, except of jobs that have not ended.
    pub(crate) async fn expire(&self, now: Timestamp) -> Result<(), skrei_ledger::Error> {
        loop {
            let spare = self.store.results_to_spare(SPARED_AT_ONCE).await?;
            let is_old = |held: &Held| now.since(held.at) >= self.limits.keep;
            let gone: Vec<_> = spare.into_iter().filter(is_old).collect();
            let is_last = gone.len() < SPARED_AT_ONCE as usize;
            if !gone.is_empty() {
                tracing::info!(archives = gone.len(), "results that are kept no longer are removed");
                self.remove(gone).await?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Removes archives that did not come in whole and will not.
    pub(crate) async fn expire_unfinished(&self) {
        let removed = self.incoming.expire(SystemTime::now()).await;
        if removed > 0 {
            tracing::info!(archives = removed, "results that came in only in part are removed");
        }
    }

    /// Removes files that no row speaks of: an orchestrator was stopped between the two.
    pub(crate) async fn tidy(&self) -> Result<(), skrei_ledger::Error> {
        self.room.occupied(self.store.result_bytes().await?).hold();
        let known = self.store.executions_with_results().await?;
        let known: BTreeSet<_> = known.iter().map(|execution| self.archive(execution)).collect();
        let folder = self.folder.clone();
        let tidy = move || {
            for entry in std::fs::read_dir(folder)?.filter_map(Result::ok) {
                if entry.file_type()?.is_file() && !known.contains(&entry.path()) {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok::<_, io::Error>(())
        };
        if let Ok(Err(error)) = tokio::task::spawn_blocking(tidy).await {
            tracing::warn!(%error, "results that nobody asks for cannot be removed");
        }
        Ok(())
    }

    /// The row goes first: what has a row is served, and a file without one is found by the next start.
    async fn remove(&self, gone: Vec<Held>) -> Result<(), skrei_ledger::Error> {
        let forgotten = gone.iter().map(|held| held.execution.clone()).collect();
        self.room.free(self.store.forget_results(forgotten).await?);
        for held in gone {
            match tokio::fs::remove_file(self.archive(&held.execution)).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(execution = %held.execution, %error, "old results cannot be removed");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn archive(&self, execution: &ExecutionId) -> PathBuf {
        self.folder.join(format!("{execution}.tar.gz"))
    }
}
