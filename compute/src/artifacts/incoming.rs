//! Content that comes in without a name: it gets the one of its digest.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use tempfile::NamedTempFile;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{Artifact, Artifacts, CHUNKS_MAX, Shared};

/// Content on its way to the disk. Dropped, nothing of it is left.
#[derive(Debug)]
pub(crate) struct Incoming {
    shared: Arc<Shared>,
    chunks: mpsc::Sender<Bytes>,
    writing: JoinHandle<Result<(NamedTempFile, Digest, u64), Unkept>>,
}

/// Content that is on disk and not kept yet.
#[derive(Debug)]
pub(crate) struct Received {
    shared: Arc<Shared>,
    file: NamedTempFile,
    digest: Digest,
    bytes: u64,
}

/// Why content is not taken in.
#[derive(Debug)]
pub(crate) enum Unkept {
    /// It has more bytes than it may.
    TooLarge,
    /// The disk does not take it.
    Disk(io::Error),
}

impl Artifacts {
    /// Takes content in, up to so many bytes.
    pub(crate) fn receive(&self, bytes_max: u64) -> Incoming {
        let shared = Arc::clone(&self.shared);
        let folder = shared.cache.folder().to_owned();
        let (chunks, mut incoming) = mpsc::channel::<Bytes>(CHUNKS_MAX);
        let write = move || {
            let mut file = NamedTempFile::new_in(folder).map_err(Unkept::Disk)?;
            let (mut hash, mut bytes) = (Sha256::new(), 0);
            while let Some(chunk) = incoming.blocking_recv() {
                bytes += chunk.len() as u64;
                if bytes > bytes_max {
                    return Err(Unkept::TooLarge);
                }
                hash.update(&chunk);
                file.write_all(&chunk).map_err(Unkept::Disk)?;
            }
            // On disk before it has its name: after a crash the name alone vouches for the content.
            file.as_file().sync_data().map_err(Unkept::Disk)?;
            Ok((file, Digest::from_bytes(hash.finalize().into()), bytes))
        };
        Incoming { shared, chunks, writing: tokio::task::spawn_blocking(write) }
    }

    /// The artifact, if it is here.
    pub(crate) fn held(&self, digest: &Digest) -> Option<Artifact> {
        self.shared.cache.get(digest)
    }
}

impl Incoming {
    /// Hands the next bytes on; false if no more are wanted, for a reason that [`finish`](Self::finish) gives.
    pub(crate) async fn push(&mut self, chunk: Bytes) -> bool {
        self.chunks.send(chunk).await.is_ok()
    }

    /// Waits until everything is on disk.
    pub(crate) async fn finish(self) -> Result<Received, Unkept> {
        let Self { shared, chunks, writing } = self;
        drop(chunks);
        let given_up = |_| Err(Unkept::Disk(io::ErrorKind::Interrupted.into()));
        let (file, digest, bytes) = writing.await.unwrap_or_else(given_up)?;
        Ok(Received { shared, file, digest, bytes })
    }
}

impl Received {
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes it an artifact.
    pub(crate) fn keep(self) -> io::Result<Artifact> {
        self.shared.cache.keep(self.digest, self.file, self.bytes)
    }
}
