//! The artifacts that are here, bounded.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use skrei_job::Digest;
use tempfile::NamedTempFile;

/// An artifact that is here, and stays as long as this lives.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// The folder of all artifacts.
    pub(crate) folder: Arc<Path>,
    /// Its name there.
    pub(crate) name: String,
    digest: Digest,
    bytes: u64,
    _pin: Arc<()>,
}

impl Artifact {
    /// What it contains.
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Its size.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }
}

/// A folder of files named by their digest. When there is too much, what was used longest ago goes, except what
/// is in use.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Arc<Path>,
    bytes_max: u64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<Digest, Entry>,
    bytes: u64,
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    bytes: u64,
    last_use: u64,
    pin: Arc<()>,
}

impl Cache {
    /// Opens or makes the folder; what is no artifact in it is removed.
    pub(super) fn open(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let digest = entry.file_name().to_str().and_then(|name| format!("sha256:{name}").parse().ok());
            let metadata = entry.metadata()?;
            match digest {
                Some(digest) if metadata.is_file() => {
                    found.push((metadata.modified()?, digest, metadata.len()))
                }
                _ if metadata.is_file() => fs::remove_file(entry.path())?,
                _ => {}
            }
        }
        found.sort();
        let mut kept = Kept::default();
        for (_, digest, bytes) in found {
            kept.insert(digest, bytes);
        }
        let cache = Self { folder: folder.into(), bytes_max, kept: Mutex::new(kept) };
        cache.shrink(&mut cache.lock());
        Ok(cache)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn get(&self, digest: &Digest) -> Option<Artifact> {
        let mut kept = self.lock();
        kept.uses += 1;
        let uses = kept.uses;
        let entry = kept.entries.get_mut(digest)?;
        entry.last_use = uses;
        Some(self.artifact(*digest, entry))
    }

    /// Gives the file its name.
    pub(super) fn keep(&self, digest: Digest, file: NamedTempFile, bytes: u64) -> io::Result<Artifact> {
        file.persist(self.folder.join(digest.hex())).map_err(|error| error.error)?;
        let mut kept = self.lock();
        kept.insert(digest, bytes);
        let artifact = kept.entries.get(&digest).map(|entry| self.artifact(digest, entry));
        self.shrink(&mut kept);
        artifact.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn artifact(&self, digest: Digest, entry: &Entry) -> Artifact {
        Artifact {
            folder: Arc::clone(&self.folder),
            name: digest.hex(),
            digest,
            bytes: entry.bytes,
            _pin: Arc::clone(&entry.pin),
        }
    }

    fn shrink(&self, kept: &mut Kept) {
        while kept.bytes > self.bytes_max {
            let idle = kept.entries.iter().filter(|(_, entry)| Arc::strong_count(&entry.pin) == 1);
            let Some(digest) = idle.min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| *digest) else {
                break;
            };
            if let Err(error) = fs::remove_file(self.folder.join(digest.hex())) {
                tracing::warn!(%digest, %error, "an artifact cannot be removed");
            }
            kept.remove(&digest);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn insert(&mut self, digest: Digest, bytes: u64) {
        // The same content again: whoever uses what was there still does.
        let pin = self.remove(&digest).unwrap_or_default();
        self.uses += 1;
        self.bytes += bytes;
        self.entries.insert(digest, Entry { bytes, last_use: self.uses, pin });
    }

    /// Gives what those hold who use it.
    fn remove(&mut self, digest: &Digest) -> Option<Arc<()>> {
        let entry = self.entries.remove(digest)?;
        self.bytes -= entry.bytes;
        Some(entry.pin)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn keep(cache: &Cache, content: &[u8]) -> (Digest, Artifact) {
        let mut file = NamedTempFile::new_in(cache.folder()).unwrap();
        file.write_all(content).unwrap();
        let digest = Digest::of(content);
        (digest, cache.keep(digest, file, content.len() as u64).unwrap())
    }

    #[test]
    fn what_was_used_longest_ago_goes_first_and_what_is_in_use_stays() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 8).unwrap();
        let (first, _held) = keep(&cache, b"1111");
        let (second, _) = keep(&cache, b"2222");
        let (third, _) = keep(&cache, b"3333");
        let here = |digest| cache.get(&digest).is_some();
        assert_eq!((here(first), here(second), here(third)), (true, false, true));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_in_use_stays_also_when_the_same_comes_in_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 8).unwrap();
        let (digest, _held) = keep(&cache, b"1111");
        drop(keep(&cache, b"1111"));
        keep(&cache, b"22222222");
        assert!(cache.get(&digest).is_some());
    }

    #[test]
    fn artifacts_are_found_again_and_leftovers_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (digest, _) = keep(&Cache::open(folder.path(), 100).unwrap(), b"1111");
        fs::write(folder.path().join(".tmp123"), b"half").unwrap();
        let cache = Cache::open(folder.path(), 100).unwrap();
        assert_eq!(fs::read(cache.get(&digest).unwrap().path()).unwrap(), b"1111");
        assert!(!folder.path().join(".tmp123").exists());
    }
}
