//! The terms on which a guest has a mount.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::handles::Handles;
use super::{Errno, Mode, Ownership, Preopen, Quota, Result};

/// The terms on which a guest has a mount, and what it did there. They travel with every handle opened through
/// it; two handles are of one mount if they share them.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(super) guest_path: String,
    pub(super) mode: Mode,
    pub(super) ownership: Ownership,
    pub(super) quota: Quota,
    pub(super) handles: Arc<Handles>,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    made: AtomicU64,
}

/// The mounts of one run, whatever became of the handles to them.
pub(crate) struct Mounts(Vec<Arc<Terms>>);

impl Mounts {
    /// Those behind the directories a guest starts with.
    pub(crate) fn of(preopens: &[Preopen]) -> Mounts {
        Mounts(preopens.iter().flat_map(|preopen| preopen.dir.terms()).collect())
    }

    /// What was done so far in each; those that share a directory come together.
    pub(crate) fn usage(&self) -> Vec<MountUsage> {
        self.0.iter().map(|terms| terms.usage()).collect()
    }
}

/// What a run did in one mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MountUsage {
    /// The path the guest had it under.
    pub guest_path: String,
    /// Bytes read from files.
    pub bytes_read: u64,
    /// Bytes written to files, those written again included.
    pub bytes_written: u64,
    /// Files, directories and links made.
    pub files_made: u64,
}

impl Terms {
    pub(super) fn new(
        guest_path: String,
        mode: Mode,
        ownership: Ownership,
        quota: Quota,
        handles: Arc<Handles>,
    ) -> Arc<Terms> {
        let (read_bytes, written_bytes, made) = Default::default();
        Arc::new(Terms { guest_path, mode, ownership, quota, handles, read_bytes, written_bytes, made })
    }

    /// `EROFS` unless the mount can be written to.
    pub(super) fn writable(&self) -> Result<()> {
        match self.mode {
            Mode::ReadWrite => Ok(()),
            Mode::ReadOnly => Err(Errno::Rofs),
        }
    }

    // One guest at a time writes these, and nobody decides by them.
    pub(super) fn count_read(&self, bytes: usize) -> usize {
        self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        bytes
    }

    pub(super) fn count_written(&self, bytes: usize) -> usize {
        self.written_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        bytes
    }

    pub(super) fn count_made(&self) {
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn usage(&self) -> MountUsage {
        MountUsage {
            guest_path: self.guest_path.clone(),
            bytes_read: self.read_bytes.load(Ordering::Relaxed),
            bytes_written: self.written_bytes.load(Ordering::Relaxed),
            files_made: self.made.load(Ordering::Relaxed),
        }
    }
}
