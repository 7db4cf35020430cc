//! Content that comes in piece by piece: archives of results (see [`skrei_protocol::results`]) and large artifacts.
//!
//! Each slot, such as an execution, has one content on its way at most. It gets a place in the [`Room`] before its first
//! byte is written; what does not grow any more loses it, soon if the room is needed, and at last in any case.

mod turn;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use skrei_job::Digest;

pub(crate) use self::turn::Turn;
use crate::room::{Place, Room};

/// What has not grown for so long is removed: its node would have gone on by then.
const UNFINISHED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What has not grown for so long is removed as soon as somebody else needs the room.
const IDLE: Duration = Duration::from_secs(600);

/// Contents on their way at once. More than a large fleet hands over at a time, and few enough for one folder.
const UNFINISHED_MAX: usize = 16_384;

/// Why a piece was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the piece is empty, or goes beyond the size of the whole")]
    WrongSize,
    #[error("another piece of the same is being taken in")]
    Busy,
    #[error("{UNFINISHED_MAX} others are on their way")]
    Crowded,
    #[error("what arrived has digest {found}, not {expected}")]
    OtherContent { expected: Digest, found: Digest },
    #[error("the orchestrator cannot store it: {0}")]
    Io(#[from] io::Error),
}

/// What a piece is said to be a piece of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whole {
    /// Of what there is one content at most.
    pub(crate) slot: String,
    /// Of the whole.
    pub(crate) digest: Digest,
    /// Of the whole, in bytes.
    pub(crate) size: u64,
}

/// Whether a piece is the one that comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// It is, and here is the right to add it.
    Piece(Turn),
    /// The next one begins here.
    At(u64),
}

/// A folder of files that are not whole.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    folder: PathBuf,
    table: Table,
    room: Room,
}

type Table = Arc<Mutex<BTreeMap<String, Unfinished>>>;

/// What has come in for one slot.
#[derive(Debug)]
struct Unfinished {
    path: PathBuf,
    digest: Digest,
    received: u64,
    /// At least as large as what has come in, and as large as the whole once a piece was added in this process.
    place: Place,
    grown: SystemTime,
    /// Somebody changes it or removes it.
    is_busy: bool,
}

impl Incoming {
    /// Uses this folder. What was left unfinished not too long ago has its place again.
    pub(crate) fn open(folder: PathBuf, room: Room) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut table = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, metadata) = (entry.path(), entry.metadata()?);
            let Some((slot, digest)) = read_name(&path) else {
                fs::remove_file(path)?;
                continue;
            };
            let (received, grown) = (metadata.len(), metadata.modified()?);
            let place = room.occupied(received);
            let found = Unfinished { path, digest, received, place, grown, is_busy: false };
            // Two of one slot: it was stopped before the earlier one was removed.
            if let Some(other) = table.insert(slot, found) {
                fs::remove_file(other.path)?;
            }
        }
        let incoming = Self { folder, table: Arc::new(Mutex::new(table)), room };
        incoming.remove_idle(SystemTime::now(), UNFINISHED_KEPT);
        Ok(incoming)
    }

    /// Whether the piece of this content that begins at `offset` is the next one. Content that is none of what has come in
    /// takes its place from the beginning on.
    pub(crate) fn next(&self, whole: Whole, offset: u64) -> Result<Next, Error> {
        let mut entries = lock(&self.table);
        let mut replaced = None;
        let received = match entries.get(&whole.slot) {
            Some(there) if there.is_busy => return Err(Error::Busy),
            Some(there) if there.digest == whole.digest && there.received <= whole.size => there.received,
            Some(there) => {
                replaced = Some(there.path.clone());
                0
            }
            None if entries.len() >= UNFINISHED_MAX => return Err(Error::Crowded),
            None => 0,
        };
        if offset != received {
            return Ok(Next::At(received));
        }
        let path = self.folder.join(name(&whole));
        if received == 0 {
            let (place, grown) = (self.room.occupied(0), SystemTime::now());
            let begun = Unfinished {
                path: path.clone(),
                digest: whole.digest,
                received,
                place,
                grown,
                is_busy: true,
            };
            // With the content that is replaced its place goes.
            entries.insert(whole.slot.clone(), begun);
        } else if let Some(there) = entries.get_mut(&whole.slot) {
            there.is_busy = true;
        }
        let table = Arc::clone(&self.table);
        Ok(Next::Piece(Turn { table, path, replaced, received, whole, is_over: false }))
    }

    /// How much has come in for a slot.
    pub(crate) fn received(&self, slot: &str) -> u64 {
        lock(&self.table).get(slot).map_or(0, |there| there.received)
    }

    /// Removes what will not be finished any more; how many those were.
    pub(crate) async fn expire(&self, now: SystemTime) -> usize {
        self.remove_idle_apart(now, UNFINISHED_KEPT).await
    }

    /// Removes what has not grown for a while, for others who need the room; how many those were.
    pub(crate) async fn spare(&self) -> usize {
        self.remove_idle_apart(SystemTime::now(), IDLE).await
    }

    async fn remove_idle_apart(&self, now: SystemTime, idle: Duration) -> usize {
        let incoming = self.clone();
        let removed = tokio::task::spawn_blocking(move || incoming.remove_idle(now, idle)).await;
        removed.unwrap_or(0)
    }

    fn remove_idle(&self, now: SystemTime, idle: Duration) -> usize {
        let mut gone = Vec::new();
        for (slot, there) in lock(&self.table).iter_mut() {
            let age = now.duration_since(there.grown).unwrap_or_default();
            if age > idle && !there.is_busy {
                there.is_busy = true;
                gone.push((slot.clone(), there.path.clone()));
            }
        }
        let mut removed = 0;
        for (slot, path) in gone {
            let is_gone = match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "what came in only in part cannot be removed");
                    false
                }
                _ => true,
            };
            let mut table = lock(&self.table);
            if is_gone {
                table.remove(&slot);
                removed += 1;
            } else if let Some(there) = table.get_mut(&slot) {
                there.is_busy = false;
            }
        }
        removed
    }
}

/// The name of a file: what it is for, and of what it is the beginning.
fn name(whole: &Whole) -> String {
    format!("{}-{}", whole.slot, whole.digest.hex())
}

fn read_name(path: &Path) -> Option<(String, Digest)> {
    let (slot, hex) = path.file_name()?.to_str()?.rsplit_once('-')?;
    Some((slot.to_owned(), format!("sha256:{hex}").parse().ok()?))
}

fn lock(table: &Table) -> MutexGuard<'_, BTreeMap<String, Unfinished>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
