//! Content held under its digest.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use axum::body::Body;
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use tokio_util::io::ReaderStream;

/// Largest artifact taken in: the largest language runtimes compiled to WASM are around 100 MB.
pub(crate) const ARTIFACT_MAX_BYTES: u64 = 512 << 20;

/// Where artifacts are in an orchestrator's directory.
pub(crate) const DIRECTORY: &str = "artifacts";

/// The artifacts of an orchestrator: files named by their digest.
#[derive(Clone, Debug)]
pub(crate) struct Artifacts {
    directory: PathBuf,
}

/// Why content was not taken in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the content sent has digest {found}, not {expected}")]
    OtherContent { expected: Digest, found: Digest },
    #[error("an artifact may have {ARTIFACT_MAX_BYTES} bytes at most")]
    TooLarge,
    #[error("the upload broke off: {0}")]
    BrokenOff(axum::Error),
    #[error("the artifact cannot be stored: {0}")]
    Io(#[from] io::Error),
}

impl Artifacts {
    /// Uses this directory; makes it if it is missing.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&directory)?;
        Ok(Self { directory })
    }

    /// The size of an artifact, if it is held.
    pub(crate) async fn size(&self, digest: Digest) -> Option<u64> {
        tokio::fs::metadata(self.path(digest)).await.ok().map(|metadata| metadata.len())
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

    /// Takes content in under its digest. It is there whole or not at all, and on disk when this returns.
    pub(crate) async fn store(&self, expected: Digest, content: Body) -> Result<u64, Error> {
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
        Ok(size)
    }

    fn path(&self, digest: Digest) -> PathBuf {
        self.directory.join(digest.hex())
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("the work was given up")))
}
