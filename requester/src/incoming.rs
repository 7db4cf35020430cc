//! Content that comes in piece by piece: archives of results (see [`skrei_protocol::results`]) and large artifacts.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;

/// What came in and was not finished is removed at the next start after so long: its node would have gone on by then.
const UNFINISHED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a piece was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the piece is empty, or goes beyond the size of the whole")]
    WrongSize,
    #[error("another piece of the same is being taken in")]
    Busy,
    #[error("what arrived has digest {found}, not {expected}")]
    OtherContent { expected: Digest, found: Digest },
    #[error("the orchestrator cannot store it: {0}")]
    Io(#[from] io::Error),
}

/// A folder of files that are not whole.
#[derive(Clone, Debug)]
pub(crate) struct Incoming {
    folder: PathBuf,
    busy: Arc<Mutex<BTreeSet<String>>>,
}

impl Incoming {
    /// Uses this folder; what was left unfinished long ago is removed.
    pub(crate) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let age = SystemTime::now().duration_since(entry.metadata()?.modified()?).unwrap_or_default();
            if age > UNFINISHED_KEPT {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder, busy: Arc::default() })
    }

    /// How much has come in of archives that are not whole.
    pub(crate) async fn bytes(&self) -> Result<u64, Error> {
        let folder = self.folder.clone();
        blocking(move || {
            let size = |entry: io::Result<fs::DirEntry>| match entry?.metadata() {
                // Finished meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
                metadata => Ok(metadata?.len()),
            };
            Ok(fs::read_dir(folder)?.map(size).sum::<io::Result<u64>>()?)
        })
        .await
    }

    /// The right to change what has come in under a name, which one at a time has.
    pub(crate) fn turn(&self, name: String) -> Result<Turn, Error> {
        if !lock(&self.busy).insert(name.clone()) {
            return Err(Error::Busy);
        }
        Ok(Turn { path: self.folder.join(&name), name, busy: Arc::clone(&self.busy) })
    }

    /// How much has come in under a name.
    pub(crate) async fn received(&self, name: &str) -> u64 {
        let metadata = tokio::fs::metadata(self.folder.join(name)).await;
        metadata.map_or(0, |metadata| metadata.len())
    }
}

/// The right to change what has come in under one name.
#[derive(Debug)]
pub(crate) struct Turn {
    path: PathBuf,
    name: String,
    busy: Arc<Mutex<BTreeSet<String>>>,
}

impl Turn {
    /// Writes a piece if it begins where the last one ended; gives how much there is then. If the disk is full, nothing of
    /// the whole is left.
    pub(crate) async fn take(&self, offset: u64, size: u64, content: Bytes) -> Result<u64, Error> {
        let end = offset.saturating_add(content.len() as u64);
        if content.is_empty() || end > size {
            return Err(Error::WrongSize);
        }
        let path = self.path.clone();
        blocking(move || {
            let file = File::options().create(true).append(true).open(&path)?;
            let received = file.metadata()?.len();
            if offset != received {
                return Ok(received);
            }
            if let Err(error) = (&file).write_all(&content) {
                let _ = fs::remove_file(&path);
                return Err(error.into());
            }
            Ok(end)
        })
        .await
    }

    /// Checks what has come in and gives it its place. Whatever is wrong with it, nothing of it is left here.
    pub(crate) async fn finish(&self, expected: Digest, place: PathBuf) -> Result<(), Error> {
        let path = self.path.clone();
        blocking(move || {
            let finished = finish(&path, expected, &place);
            if finished.is_err() {
                let _ = fs::remove_file(&path);
            }
            finished
        })
        .await
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.busy).remove(&self.name);
    }
}

fn finish(path: &Path, expected: Digest, place: &Path) -> Result<(), Error> {
    let mut file = File::open(path)?;
    let mut hash = Hashing(Sha256::new());
    io::copy(&mut file, &mut hash)?;
    let found = Digest::from_bytes(hash.0.finalize().into());
    if found != expected {
        return Err(Error::OtherContent { expected, found });
    }
    file.sync_data()?;
    fs::rename(path, place)?;
    place.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(())
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

fn lock(busy: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("the work was given up").into()))
}
