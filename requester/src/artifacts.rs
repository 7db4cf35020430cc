//! Content held under its digest.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::body::{Body, Bytes, HttpBody as _};
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::io::ReaderStream;

use crate::{
    incoming::{self, Incoming, Next, Whole},
    room::{Place, Room},
};

/// Largest artifact taken in: the largest language runtimes compiled to WASM are around 100 MB.
pub(crate) const ARTIFACT_MAX_BYTES: u64 = 512 << 20;

/// Where artifacts are in an orchestrator's directory.
pub(crate) const DIRECTORY: &str = "artifacts";

/// Bounds on artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All of them together, in bytes. Default 64 GiB (`Orchestrator.Artifacts.MaxBytes`).
    pub bytes: u64,
    /// How long one is kept after it was last asked for or submitted with a job, unless a job that has not ended needs it.
    /// Default 30 days (`Orchestrator.Artifacts.Keep`).
    pub keep: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 << 30, keep: Duration::from_secs(30 * 86_400) }
    }
}

/// Nothing is removed sooner: a client that was told that its artifact is here submits its job soon.
const KEPT_MIN: Duration = Duration::from_secs(3600);

/// Uploads at once; each further one waits.
const UPLOADS_MAX: usize = 16;

/// How long to wait for the next bytes of an upload: others wait for its end.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The artifacts of an orchestrator: files named by their digest. The time of a file is when it was last needed.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    directory: PathBuf,
    limits: Limits,
    /// Those that come in piece by piece and are not whole.
    incoming: Incoming,
    uploads: Arc<Semaphore>,
    /// For those that are held, and for those that come in.
    room: Room,
}

/// Why content was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the content sent has digest {found}, not {expected}")]
    OtherContent { expected: Digest, found: Digest },
    #[error("an artifact may have {ARTIFACT_MAX_BYTES} bytes at most")]
    TooLarge,
    #[error("the orchestrator has no room: artifacts take the {0} bytes that are kept for them")]
    Full(u64),
    #[error(transparent)]
    Incoming(#[from] incoming::Error),
    #[error("the upload broke off: {0}")]
    BrokenOff(axum::Error),
    #[error("nothing came of the upload for {} s", SILENCE_MAX.as_secs())]
    Silent,
    #[error("the artifact cannot be stored: {0}")]
    Io(#[from] io::Error),
}

impl Artifacts {
    /// Uses this directory; makes it if it is missing. What an upload that broke off left is removed.
    pub(crate) fn open(directory: PathBuf, limits: Limits) -> io::Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let mut used = 0;
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            match digest_of(&entry) {
                Some(_) => used += entry.metadata()?.len(),
                None if entry.file_type()?.is_file() => std::fs::remove_file(entry.path())?,
                None => {}
            }
        }
        let room = Room::new(limits.bytes);
        room.occupied(used).hold();
        let incoming = Incoming::open(directory.join("incoming"), room.clone())?;
        Ok(Self { directory, limits, incoming, uploads: Arc::new(Semaphore::new(UPLOADS_MAX)), room })
    }

    /// The right to send something; waits for it. Bounds what is in memory of all that comes.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed.
        self.uploads.acquire().await.ok()
    }

    /// Takes note that an artifact is needed; its size, if it is held.
    pub(crate) async fn need(&self, digest: Digest) -> Option<u64> {
        let path = self.path(digest);
        let touch = move || {
            let file = std::fs::File::open(path)?;
            // A disk that does not take the time keeps the artifact for less long, and nothing else.
            let _ = file.set_modified(SystemTime::now());
            Ok(file.metadata()?.len())
        };
        blocking(touch).await.ok()
    }

    /// Removes what will not be whole any more.
    pub(crate) async fn expire_unfinished(&self) {
        let removed = self.incoming.expire(SystemTime::now()).await;
        if removed > 0 {
            tracing::info!(removed, "artifacts that came in only in part are removed");
        }
    }

    /// Removes what was not needed for long, except these; gives how many there were.
    pub(crate) async fn expire(&self, live: BTreeSet<Digest>) -> io::Result<usize> {
        let (directory, room) = (self.directory.clone(), self.room.clone());
        let keep = self.limits.keep.max(KEPT_MIN);
        blocking(move || {
            let mut removed = 0;
            for entry in std::fs::read_dir(directory)? {
                let entry = entry?;
                let Some(digest) = digest_of(&entry) else { continue };
                let metadata = entry.metadata()?;
                let age = SystemTime::now().duration_since(metadata.modified()?).unwrap_or_default();
                if age > keep && !live.contains(&digest) {
                    std::fs::remove_file(entry.path())?;
                    room.free(metadata.len());
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }

    /// An artifact's content, if it is held.
    pub(crate) async fn content(&self, digest: Digest) -> io::Result<Option<(u64, Body)>> {
        match tokio::fs::File::open(self.path(digest)).await {
            Ok(file) => {
                let size = file.metadata().await?.len();
                Ok(Some((size, Body::from_stream(ReaderStream::with_capacity(file, 64 << 10)))))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How much has come in of an artifact that is not whole.
    pub(crate) fn received(&self, digest: Digest) -> u64 {
        self.incoming.received(&digest.hex())
    }

    /// Takes in a piece of an artifact that has so many bytes, if it begins where the last one ended; gives how much there
    /// is then. With the last one the artifact is held.
    pub(crate) async fn append(
        &self,
        expected: Digest,
        (offset, size): (u64, u64),
        piece: Bytes,
    ) -> Result<u64, Error> {
        if size > ARTIFACT_MAX_BYTES {
            return Err(Error::TooLarge);
        }
        let whole = Whole { slot: expected.hex(), digest: expected, size };
        let turn = match self.incoming.next(whole, offset)? {
            Next::At(received) => return Ok(received),
            Next::Piece(turn) => turn,
        };
        turn.promise(self.place(turn.lacks()).await?);
        let turn = turn.add(piece).await?;
        let received = turn.received();
        if turn.is_whole()
            && let Some(bytes) = turn.finish(self.path(expected)).await?
        {
            // Somebody else was faster, with the same.
            self.room.free(bytes);
        }
        Ok(received)
    }

    /// Takes content in under its digest. It is there whole or not at all, and on disk when this returns.
    pub(crate) async fn store(&self, expected: Digest, content: Body) -> Result<u64, Error> {
        let _turn = self.turn().await;
        // As far as the request says how much comes, that is promised before it does.
        let announced = content.size_hint().lower();
        if announced > ARTIFACT_MAX_BYTES {
            return Err(Error::TooLarge);
        }
        let mut place = self.place(announced).await?;
        let directory = self.directory.clone();
        let mut file = blocking(move || tempfile::NamedTempFile::new_in(directory)).await?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut chunks = content.into_data_stream();
        loop {
            let chunk = tokio::time::timeout(SILENCE_MAX, chunks.next()).await.map_err(|_| Error::Silent)?;
            let Some(chunk) = chunk else { break };
            let chunk = chunk.map_err(Error::BrokenOff)?;
            size += chunk.len() as u64;
            if size > ARTIFACT_MAX_BYTES {
                return Err(Error::TooLarge);
            }
            if size > place.bytes() {
                place.join(self.place(size - place.bytes()).await?);
            }
            hash.update(&chunk);
            file = blocking(move || file.write_all(&chunk).map(|()| file)).await?;
        }
        let found = Digest::from_bytes(hash.finalize().into());
        if found != expected {
            return Err(Error::OtherContent { expected, found });
        }
        let (path, directory) = (self.path(expected), self.directory.clone());
        blocking(move || {
            file.as_file().sync_data()?;
            match file.persist_noclobber(path) {
                Ok(_) => place.hold(),
                // Somebody else was faster, with the same.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error.error),
            }
            sync_directory(&directory)
        })
        .await?;
        Ok(size)
    }

    /// Room for so much; what nobody goes on with makes way.
    async fn place(&self, bytes: u64) -> Result<Place, Error> {
        if let Some(place) = self.room.reserve(bytes) {
            return Ok(place);
        }
        self.incoming.spare().await;
        self.room.reserve(bytes).ok_or(Error::Full(self.room.bytes_max()))
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.directory.join(digest.hex())
    }
}

/// What a file of the directory contains, if it is an artifact.
fn digest_of(entry: &std::fs::DirEntry) -> Option<Digest> {
    format!("sha256:{}", entry.file_name().to_str()?).parse().ok()
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("the work was given up")))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    async fn held(artifacts: &Artifacts, content: &'static [u8]) -> Digest {
        let digest = Digest::of(content);
        artifacts.store(digest, Body::from(content)).await.unwrap();
        digest
    }

    #[tokio::test]
    async fn what_was_not_needed_for_long_goes_unless_a_job_that_has_not_ended_needs_it() {
        let directory = tempfile::tempdir().unwrap();
        let artifacts = Artifacts::open(directory.path().to_owned(), Limits::default()).unwrap();
        let [old, live, needed] = [
            held(&artifacts, b"old").await,
            held(&artifacts, b"live").await,
            held(&artifacts, b"needed").await,
        ];
        let long_ago = SystemTime::now() - Limits::default().keep * 2;
        for digest in [old, live, needed] {
            File::open(artifacts.path(digest)).unwrap().set_modified(long_ago).unwrap();
        }
        assert_eq!(artifacts.need(needed).await, Some(6));
        assert_eq!(artifacts.expire([live].into()).await.unwrap(), 1);
        assert_eq!((artifacts.need(old).await, artifacts.need(live).await), (None, Some(4)));
        assert_eq!(artifacts.room.used(), 10);
    }

    #[tokio::test]
    async fn beyond_the_bound_nothing_is_taken_in_and_nothing_is_left() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(".tmp1"), b"half").unwrap();
        let limits = Limits { bytes: 5, ..Limits::default() };
        let artifacts = Artifacts::open(directory.path().to_owned(), limits).unwrap();
        held(&artifacts, b"1234").await;
        let refused = artifacts.store(Digest::of(b"56"), Body::from("56")).await;
        assert!(matches!(refused, Err(Error::Full(5))), "{refused:?}");
        let names = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.filter(|name| name != "incoming").count(), 1);
    }

    #[tokio::test]
    async fn what_comes_in_pieces_is_paid_for_as_a_whole_and_before_it_comes() {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { bytes: 10, ..Limits::default() };
        let artifacts = Artifacts::open(directory.path().to_owned(), limits).unwrap();
        let piece = |content: &'static [u8], offset, piece: &'static [u8]| {
            let (digest, size) = (Digest::of(content), content.len() as u64);
            artifacts.append(digest, (offset, size), Bytes::from_static(piece))
        };
        assert_eq!(piece(b"123456", 0, b"1").await.unwrap(), 1);
        let refused = piece(b"abcdef", 0, b"a").await;
        assert!(matches!(refused, Err(Error::Full(10))), "one byte fits, and six do not: {refused:?}");
        let refused = artifacts.store(Digest::of(b"abcdef"), Body::from("abcdef")).await;
        assert!(matches!(refused, Err(Error::Full(10))), "{refused:?}");
        assert_eq!(std::fs::read_dir(directory.path().join("incoming")).unwrap().count(), 1);
        assert_eq!(piece(b"123456", 1, b"23456").await.unwrap(), 6);
        assert_eq!(artifacts.need(Digest::of(b"123456")).await, Some(6));
        assert_eq!(artifacts.room.used(), 6);
        held(&artifacts, b"ab").await;
        held(&artifacts, b"ab").await;
        assert_eq!(artifacts.room.used(), 8, "what is there already takes no more");
    }
}
