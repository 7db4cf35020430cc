//! Artifacts: content named by its digest, fetched once from the orchestrator and kept.
//!
//! What arrives is written to a temporary file and becomes an artifact only when its digest is the one that was
//! asked for. Callers who want the same artifact at the same time share one fetch.

mod cache;
mod error;
mod incoming;

use std::{io::Write as _, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
pub(crate) use cache::Artifact;
use cache::Cache;
pub(crate) use error::Error;
pub(crate) use incoming::{Incoming, Received, Unkept};
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use skrei_protocol::link::ARTIFACTS_PATH;
use skrei_tls::ClientConfig;
use tempfile::NamedTempFile;
use tokio::sync::{mpsc, watch};

use crate::{Limits, flights::Flights, link::Address};

/// Tries of one fetch before it is given up: with the pauses between them about six seconds.
const TRIES_MAX: u32 = 6;

/// The pause after the first try; each further one is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(200);

/// How long to wait for a connection, and for the next bytes on it.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// Pieces of a body between the network and the disk.
const CHUNKS_MAX: usize = 16;

/// Where artifacts come from, and those that are here.
#[derive(Debug)]
pub(crate) struct Artifacts {
    shared: Arc<Shared>,
    flights: Flights<Digest, Result<Artifact, Error>>,
}

#[derive(Debug)]
struct Shared {
    cache: Cache,
    client: reqwest::Client,
    orchestrators: Vec<Address>,
    /// The orchestrator that answers now, if one does.
    current: watch::Receiver<Option<Address>>,
    bytes_max: u64,
}

impl Artifacts {
    pub(crate) fn open(
        folder: &Path,
        limits: &Limits,
        tls: ClientConfig,
        orchestrators: Vec<Address>,
        current: watch::Receiver<Option<Address>>,
    ) -> Result<Self, crate::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_MAX)
            .read_timeout(SILENCE_MAX)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(crate::Error::Client)?;
        let cache = Cache::open(folder, limits.artifacts_bytes)
            .map_err(|source| crate::Error::Folder { path: folder.to_owned(), source })?;
        let bytes_max = limits.artifact_bytes;
        let shared = Shared { cache, client, orchestrators, current, bytes_max };
        Ok(Self { shared: Arc::new(shared), flights: Flights::new() })
    }

    /// The artifact, fetched if it is not here. It stays here as long as what is returned lives.
    pub(crate) async fn get(&self, digest: Digest) -> Result<Artifact, Error> {
        if let Some(artifact) = self.shared.cache.get(&digest) {
            return Ok(artifact);
        }
        let shared = Arc::clone(&self.shared);
        self.flights.join(digest, || async move { shared.fetch(digest).await }).await
    }
}

impl Shared {
    async fn fetch(&self, digest: Digest) -> Result<Artifact, Error> {
        if let Some(artifact) = self.cache.get(&digest) {
            return Ok(artifact);
        }
        let mut pause = PAUSE_FIRST;
        let mut tries = 1;
        loop {
            let failed = match self.download(digest, tries - 1).await {
                Ok(artifact) => return Ok(artifact),
                Err(error) => error,
            };
            if !failed.is_passing() || tries == TRIES_MAX {
                return Err(failed);
            }
            tracing::debug!(%digest, error = %failed, "fetching an artifact is tried again");
            tokio::time::sleep(pause).await;
            pause *= 2;
            tries += 1;
        }
    }

    async fn download(&self, digest: Digest, turn: u32) -> Result<Artifact, Error> {
        let current = self.current.borrow().clone();
        let address = current
            .or_else(|| self.orchestrators.get(turn as usize % self.orchestrators.len().max(1)).cloned())
            .ok_or(Error::Nowhere { digest })?;
        let network = |cause: reqwest::Error| Error::network(digest, &address, &cause);
        let request = self.client.get(format!("https://{address}{ARTIFACTS_PATH}/{}", digest.hex()));
        let mut response = request.send().await.map_err(network)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(Error::Unknown { digest, address }),
            status => return Err(Error::Answer { digest, address, status }),
        }
        if response.content_length().is_some_and(|bytes| bytes > self.bytes_max) {
            return Err(Error::TooLarge { digest, bytes_max: self.bytes_max });
        }
        let (chunks, incoming) = mpsc::channel(CHUNKS_MAX);
        let (folder, bytes_max) = (self.cache.folder().to_owned(), self.bytes_max);
        let writing = tokio::task::spawn_blocking(move || write(&folder, digest, incoming, bytes_max));
        while let Some(chunk) = response.chunk().await.map_err(network)? {
            if chunks.send(chunk).await.is_err() {
                break;
            }
        }
        drop(chunks);
        let (file, bytes) = writing
            .await
            .unwrap_or_else(|_| Err(Error::disk(digest, &std::io::ErrorKind::Interrupted.into())))?;
        self.cache.keep(digest, file, bytes).map_err(|cause| Error::disk(digest, &cause))
    }
}

/// Writes what arrives, and gives the file if it is what was asked for.
fn write(
    folder: &Path,
    digest: Digest,
    mut chunks: mpsc::Receiver<Bytes>,
    bytes_max: u64,
) -> Result<(NamedTempFile, u64), Error> {
    let disk = |cause: std::io::Error| Error::disk(digest, &cause);
    let mut file = NamedTempFile::new_in(folder).map_err(disk)?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = chunks.blocking_recv() {
        bytes += chunk.len() as u64;
        if bytes > bytes_max {
            return Err(Error::TooLarge { digest, bytes_max });
        }
        hash.update(&chunk);
        file.write_all(&chunk).map_err(disk)?;
    }
    let found = Digest::from_bytes(hash.finalize().into());
    if found != digest {
        return Err(Error::WrongDigest { digest, found, bytes });
    }
    // On disk before it has its name: after a crash the name alone vouches for the content.
    file.as_file().sync_data().map_err(disk)?;
    Ok((file, bytes))
}
