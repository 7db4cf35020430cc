//! The outbox: archives that are packed and have not arrived.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use skrei_job::{Digest, ExecutionId};

use super::{Error, pack};
use crate::{Limits, results::Results};

/// A folder with one archive for each execution whose results are on their way, bounded.
#[derive(Debug)]
pub(crate) struct Outbox {
    folder: PathBuf,
    archive_bytes_max: u64,
    bytes_max: u64,
    /// Bytes of each archive; of one that is being packed, at least what it has come to.
    held: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Outbox {
    /// Opens or makes the folder. Archives of other executions than these are removed: nobody waits for them.
    pub(crate) fn open<'a>(
        folder: PathBuf,
        limits: &Limits,
        waiting: impl Iterator<Item = &'a ExecutionId>,
    ) -> Result<Self, crate::Error> {
        let keep: BTreeSet<_> = waiting.map(file_name).collect();
        let open = || {
            fs::create_dir_all(&folder)?;
            let mut held = BTreeMap::new();
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                match entry.file_name().to_str() {
                    Some(name) if keep.contains(name) => {
                        held.insert(name.to_owned(), entry.metadata()?.len());
                    }
                    _ => fs::remove_file(entry.path())?,
                }
            }
            Ok(held)
        };
        let held = open().map_err(|source| crate::Error::Folder { path: folder.clone(), source })?;
        Ok(Self {
            folder,
            archive_bytes_max: limits.result_bytes,
            bytes_max: limits.outbox_bytes,
            held: Arc::new(Mutex::new(held)),
        })
    }

    /// Packs results, on disk when this returns, and removes them where they were. Gives digest and size of the archive.
    pub(crate) async fn pack(
        &self,
        execution: &ExecutionId,
        results: Results,
        exit_code: i32,
    ) -> Result<(Digest, u64), Error> {
        let name = file_name(execution);
        let place = Place::new(&self.held, &name, self.bytes_max);
        let (folder, archive_bytes_max) = (self.folder.clone(), self.archive_bytes_max);
        let work = move || {
            let packed = pack::pack(&results, exit_code, &folder, archive_bytes_max, &place)?;
            let size = packed.size;
            packed.file.persist(folder.join(&name)).map_err(|error| Error::disk(&error.error))?;
            sync_directory(&folder).map_err(|cause| Error::disk(&cause))?;
            place.settle(size);
            Ok((packed.digest, size))
        };
        let packed = tokio::task::spawn_blocking(work).await;
        packed.unwrap_or_else(|error| Err(Error::Disk(error.to_string())))
    }

    /// Where the archive of an execution is.
    pub(crate) fn archive(&self, execution: &ExecutionId) -> PathBuf {
        self.folder.join(file_name(execution))
    }

    /// Forgets an archive that has arrived, or never will.
    pub(crate) async fn forget(&self, execution: &ExecutionId) {
        let (name, path) = (file_name(execution), self.archive(execution));
        let removed = tokio::task::spawn_blocking(move || fs::remove_file(path)).await;
        if let Ok(Err(error)) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%execution, %error, "an archive of results cannot be removed");
        }
        lock(&self.held).remove(&name);
    }
}

/// Room for an archive that is being packed; given back unless it is settled.
pub(super) struct Place {
    held: Arc<Mutex<BTreeMap<String, u64>>>,
    name: String,
    bytes_max: u64,
    is_settled: bool,
}

impl Place {
    /// One that is empty.
    fn new(held: &Arc<Mutex<BTreeMap<String, u64>>>, name: &str, bytes_max: u64) -> Self {
        lock(held).insert(name.to_owned(), 0);
        Self { held: Arc::clone(held), name: name.to_owned(), bytes_max, is_settled: false }
    }

    /// Makes room for an archive of so many bytes; if there is none, says how much there is in all.
    pub(super) fn grow(&self, bytes: u64) -> Result<(), u64> {
        let mut all = lock(&self.held);
        let others: u64 = all.iter().filter(|(name, _)| **name != self.name).map(|(_, bytes)| bytes).sum();
        if others.saturating_add(bytes) > self.bytes_max {
            return Err(self.bytes_max);
        }
        all.insert(self.name.clone(), bytes);
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of(bytes_max: u64) -> Self {
        Self::new(&Arc::default(), "archive", bytes_max)
    }

    fn settle(mut self, bytes: u64) {
        self.is_settled = true;
        lock(&self.held).insert(self.name.clone(), bytes);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_settled {
            lock(&self.held).remove(&self.name);
        }
    }
}

fn lock(held: &Mutex<BTreeMap<String, u64>>) -> MutexGuard<'_, BTreeMap<String, u64>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids are the orchestrator's words: none becomes a path as it is.
fn file_name(execution: &ExecutionId) -> String {
    let mut name = Digest::of(execution.as_str().as_bytes()).hex();
    name.push_str(".tar.gz");
    name
}

fn sync_directory(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_archives_have_room_side_by_side_as_long_as_they_are_small() {
        let held = Arc::default();
        let places: Vec<_> = (0..50).map(|number| Place::new(&held, &number.to_string(), 100)).collect();
        for place in &places {
            place.grow(2).unwrap();
        }
        assert_eq!(places[0].grow(3), Err(100));
        drop(places);
        assert_eq!(lock(&held).values().sum::<u64>(), 0, "what was not settled is given back");
    }
}
