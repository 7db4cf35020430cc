//! Content that comes in piece by piece: archives of results (see [`skrei_protocol::results`]) and large artifacts.
//!
//! Each slot, such as an execution, has one content on its way at most. It gets a place in the [`Room`] before its first
//! byte is written; what does not grow any more loses it, soon if the room is needed, and at last in any case.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;

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

/// The right to change what has come in for one slot, which one at a time has.
#[derive(Debug)]
pub(crate) struct Turn {
    table: Table,
    path: PathBuf,
    /// Other content that was on its way for the slot.
    replaced: Option<PathBuf>,
    received: u64,
    whole: Whole,
    /// Nothing of it is in the table any more.
    is_over: bool,
}

impl Turn {
    /// How much is still to be promised before a piece may be added.
    pub(crate) fn lacks(&self) -> u64 {
        let promised = lock(&self.table).get(&self.whole.slot).map_or(0, |there| there.place.bytes());
        self.whole.size.saturating_sub(promised)
    }

    /// Takes the place that was lacking.
    pub(crate) fn promise(&self, place: Place) {
        if let Some(there) = lock(&self.table).get_mut(&self.whole.slot) {
            there.place.join(place);
        }
    }

    /// How much has come in.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Whether all of it has.
    pub(crate) fn is_whole(&self) -> bool {
        self.received == self.whole.size
    }

    /// Writes the next piece. It is written to its end also if nobody waits for that any more; if the disk is full, nothing
    /// of the whole is left.
    pub(crate) async fn add(mut self, content: Bytes) -> Result<Self, Error> {
        let end = self.received.saturating_add(content.len() as u64);
        if content.is_empty() || end > self.whole.size || self.lacks() > 0 {
            return Err(Error::WrongSize);
        }
        blocking(move || {
            let written = self.write(&content);
            match written {
                Ok(()) => self.received = end,
                Err(error) => {
                    self.remove();
                    return Err(error.into());
                }
            }
            Ok(self)
        })
        .await
    }

    fn write(&mut self, content: &[u8]) -> io::Result<()> {
        if let Some(replaced) = self.replaced.take() {
            ignore_missing(fs::remove_file(replaced))?;
        }
        let mut file = if self.received == 0 {
            // Something of this name that is in no table is not of ours.
            File::create(&self.path)?
        } else {
            File::options().append(true).open(&self.path)?
        };
        if file.metadata()?.len() != self.received {
            return Err(io::Error::other("what came in before is not as it was"));
        }
        file.write_all(content)
    }

    /// Checks what has come in and gives it its place; gives the size of what it replaces there. Whatever is wrong with it,
    /// nothing of it is left here.
    pub(crate) async fn finish(mut self, place: PathBuf) -> Result<Option<u64>, Error> {
        blocking(move || match finish(&self.path, self.whole.digest, &place) {
            Ok(replaced) => {
                self.is_over = true;
                if let Some(there) = lock(&self.table).remove(&self.whole.slot) {
                    there.place.hold();
                }
                Ok(replaced)
            }
            Err(error) => {
                self.remove();
                Err(error)
            }
        })
        .await
    }

    /// Nothing of it is left.
    fn remove(&mut self) {
        self.received = 0;
        if let Err(error) = ignore_missing(fs::remove_file(&self.path)) {
            tracing::warn!(path = %self.path.display(), %error, "what came in cannot be removed");
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut table = lock(&self.table);
        if self.received == 0 {
            table.remove(&self.whole.slot);
        } else if let Some(there) = table.get_mut(&self.whole.slot) {
            (there.received, there.grown, there.is_busy) = (self.received, SystemTime::now(), false);
        }
        drop(table);
        if let Some(replaced) = self.replaced.take() {
            // Its entry is gone, and so is whoever might have gone on with it.
            let _ = fs::remove_file(replaced);
        }
    }
}

fn finish(path: &Path, expected: Digest, place: &Path) -> Result<Option<u64>, Error> {
    let mut file = File::open(path)?;
    let mut hash = Hashing(Sha256::new());
    io::copy(&mut file, &mut hash)?;
    let found = Digest::from_bytes(hash.0.finalize().into());
    if found != expected {
        return Err(Error::OtherContent { expected, found });
    }
    file.sync_data()?;
    let replaced = place.metadata().ok().map(|metadata| metadata.len());
    fs::rename(path, place)?;
    place.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(replaced)
}

/// The name of a file: what it is for, and of what it is the beginning.
fn name(whole: &Whole) -> String {
    format!("{}-{}", whole.slot, whole.digest.hex())
}

fn read_name(path: &Path) -> Option<(String, Digest)> {
    let (slot, hex) = path.file_name()?.to_str()?.rsplit_once('-')?;
    Some((slot.to_owned(), format!("sha256:{hex}").parse().ok()?))
}

fn ignore_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

struct Hashing(Sha256);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock(table: &Table) -> MutexGuard<'_, BTreeMap<String, Unfinished>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("the work was given up").into()))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    struct Folder {
        directory: TempDir,
        room: Room,
        incoming: Incoming,
    }

    impl Folder {
        fn new(bytes_max: u64) -> Self {
            let (directory, room) = (tempfile::tempdir().unwrap(), Room::new(bytes_max));
            let incoming = Incoming::open(directory.path().join("incoming"), room.clone()).unwrap();
            Self { directory, room, incoming }
        }

        /// Offers a piece of a content; how much there is then.
        async fn offer(&self, slot: &str, whole: &[u8], offset: u64, piece: &'static [u8]) -> u64 {
            let (digest, size) = (Digest::of(whole), whole.len() as u64);
            let whole = Whole { slot: slot.to_owned(), digest, size };
            match self.incoming.next(whole, offset).unwrap() {
                Next::At(received) => received,
                Next::Piece(turn) => {
                    turn.promise(self.room.reserve(turn.lacks()).unwrap());
                    turn.add(Bytes::from_static(piece)).await.unwrap().received()
                }
            }
        }

        fn files(&self) -> usize {
            fs::read_dir(self.directory.path().join("incoming")).unwrap().count()
        }
    }

    #[tokio::test]
    async fn a_slot_has_one_content_on_its_way_and_pays_for_the_whole_before_the_first_byte() {
        let folder = Folder::new(100);
        assert_eq!(folder.offer("e-1", b"0123456789", 0, b"012").await, 3);
        assert_eq!((folder.files(), folder.room.used()), (1, 10));
        assert_eq!(folder.offer("e-1", b"0123456789", 1, b"12").await, 3, "not the next piece");
        assert_eq!(
            folder.offer("e-1", b"abcdef", 3, b"def").await,
            0,
            "other content begins at its beginning"
        );
        assert_eq!((folder.files(), folder.room.used()), (1, 10), "and was not begun");
        assert_eq!(folder.offer("e-1", b"abcdef", 0, b"abc").await, 3);
        assert_eq!((folder.files(), folder.room.used()), (1, 6), "in the place of the other");
        assert_eq!(folder.offer("e-2", b"xy", 1, b"y").await, 0);
        assert_eq!((folder.files(), folder.incoming.received("e-2")), (1, 0));
    }

    #[tokio::test]
    async fn what_is_whole_is_checked_and_what_is_wrong_leaves_nothing() {
        let folder = Folder::new(100);
        let place = folder.directory.path().join("whole");
        for (content, is_right) in [(b"abc", true), (b"abx", false)] {
            let whole = Whole { slot: "e-1".to_owned(), digest: Digest::of(b"abc"), size: 3 };
            let Next::Piece(turn) = folder.incoming.next(whole, 0).unwrap() else {
                panic!("the first piece")
            };
            turn.promise(folder.room.reserve(turn.lacks()).unwrap());
            let finished = turn.add(Bytes::from_static(content)).await.unwrap().finish(place.clone()).await;
            assert_eq!(finished.is_ok(), is_right, "{finished:?}");
            assert_eq!((folder.files(), folder.room.used()), (0, 3), "what is whole is held");
        }
        assert_eq!(fs::read(place).unwrap(), b"abc");
    }

    #[tokio::test]
    async fn what_does_not_grow_any_more_is_removed_while_the_orchestrator_runs() {
        let folder = Folder::new(100);
        folder.offer("e-1", b"0123456789", 0, b"012").await;
        let later = |time| SystemTime::now() + time;
        assert_eq!(folder.incoming.expire(later(UNFINISHED_KEPT / 2)).await, 0);
        assert_eq!(folder.incoming.spare().await, 0, "it has just grown");
        assert_eq!(folder.incoming.expire(later(UNFINISHED_KEPT * 2)).await, 1);
        assert_eq!((folder.files(), folder.room.used()), (0, 0));
    }

    #[tokio::test]
    async fn what_was_on_its_way_goes_on_after_a_restart_and_has_its_place() {
        let mut folder = Folder::new(100);
        folder.offer("e-1", b"0123456789", 0, b"012").await;
        fs::write(folder.directory.path().join("incoming/odd"), b"?").unwrap();
        folder.room = Room::new(100);
        folder.incoming =
            Incoming::open(folder.directory.path().join("incoming"), folder.room.clone()).unwrap();
        assert_eq!((folder.files(), folder.room.used()), (1, 3));
        assert_eq!(folder.offer("e-1", b"0123456789", 3, b"345").await, 6);
        assert_eq!(folder.room.used(), 10);
    }

    #[tokio::test]
    async fn one_at_a_time_changes_what_has_come_in() {
        let folder = Folder::new(100);
        let whole = Whole { slot: "e-1".to_owned(), digest: Digest::of(b"abc"), size: 3 };
        let turn = folder.incoming.next(whole.clone(), 0).unwrap();
        assert!(matches!(folder.incoming.next(whole.clone(), 0), Err(Error::Busy)));
        assert_eq!(folder.incoming.expire(SystemTime::now() + UNFINISHED_KEPT * 2).await, 0);
        drop(turn);
        assert!(matches!(folder.incoming.next(whole, 0), Ok(Next::Piece(_))));
    }
}
