//! Adding to what has come in, one at a time.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;

use super::{Error, Table, Whole, lock};
use crate::room::Place;

/// The right to change what has come in for one slot, which one at a time has.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(super) table: Table,
    pub(super) path: PathBuf,
    /// Other content that was on its way for the slot.
    pub(super) replaced: Option<PathBuf>,
    pub(super) received: u64,
    pub(super) whole: Whole,
    /// Nothing of it is in the table any more.
    pub(super) is_over: bool,
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

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("the work was given up").into()))
}
