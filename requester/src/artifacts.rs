//! Content held under its digest.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use tokio::sync::Semaphore;
use tokio_util::io::ReaderStream;

use crate::incoming::{self, Incoming};

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

/// The artifacts of an orchestrator: files named by their digest. The time of a file is when it was last needed.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    directory: PathBuf,
    limits: Limits,
    /// Those that come in piece by piece and are not whole.
    incoming: Incoming,
    uploads: Arc<Semaphore>,
    used: Arc<AtomicU64>,
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
        let incoming = Incoming::open(directory.join("incoming"))?;
        let (uploads, used) = (Arc::new(Semaphore::new(UPLOADS_MAX)), Arc::new(AtomicU64::new(used)));
        Ok(Self { directory, limits, incoming, uploads, used })
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

    /// Removes what was not needed for long, except these; gives how many there were.
    pub(crate) async fn expire(&self, live: BTreeSet<Digest>) -> io::Result<usize> {
        let (directory, used) = (self.directory.clone(), Arc::clone(&self.used));
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
                    used.fetch_sub(metadata.len(), Ordering::Relaxed);
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
    pub(crate) async fn received(&self, digest: Digest) -> u64 {
        self.incoming.received(&digest.hex()).await
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
        if self.used.load(Ordering::Relaxed).saturating_add(size) > self.limits.bytes {
            return Err(Error::Full(self.limits.bytes));
        }
        let turn = self.incoming.turn(expected.hex())?;
        let received = turn.take(offset, size, piece).await?;
        if received == size {
            turn.finish(expected, self.path(expected)).await?;
            self.used.fetch_add(size, Ordering::Relaxed);
        }
        Ok(received)
    }

    /// Takes content in under its digest. It is there whole or not at all, and on disk when this returns.
    pub(crate) async fn store(&self, expected: Digest, content: Body) -> Result<u64, Error> {
        // Never closed.
        let _turn = self.uploads.acquire().await;
        let directory = self.directory.clone();
        let mut file = blocking(move || tempfile::NamedTempFile::new_in(directory)).await?;
        let (mut hash, mut size) = (Sha256::new(), 0_u64);
        let mut chunks = content.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(Error::BrokenOff)?;
            size += chunk.len() as u64;
            if size > ARTIFACT_MAX_BYTES {
                return Err(Error::TooLarge);
            }
            if self.used.load(Ordering::Relaxed).saturating_add(size) > self.limits.bytes {
                return Err(Error::Full(self.limits.bytes));
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
            file.persist(path)?;
            sync_directory(&directory)
        })
        .await?;
        self.used.fetch_add(size, Ordering::Relaxed);
        Ok(size)
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
        assert_eq!(artifacts.used.load(Ordering::Relaxed), 10);
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
}
