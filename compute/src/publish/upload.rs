//! Handing an archive over to the orchestrator, piece by piece (see [`skrei_protocol::results`]).

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use reqwest::StatusCode;
use skrei_job::outcome::Published;
use skrei_protocol::results::{PIECE_BYTES_MAX, Piece, Received};
use skrei_tls::ClientConfig;
use tokio::sync::{Semaphore, watch};

use super::{Error, Parcel};
use crate::link::{Address, Pause, spread};

/// Archives on their way at once: each keeps a piece in memory, and one link is not filled better by more.
const AT_ONCE_MAX: usize = 4;

/// How long to wait for a connection, and for the answer to a piece. The last one is answered when the whole archive is
/// checked and on the orchestrator's disk.
const CONNECT_MAX: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(120);

/// How much of a refusal is passed on.
const WORDS_MAX: usize = 300;

/// Hands archives over to whichever orchestrator answers.
#[derive(Debug)]
pub(crate) struct Uploads {
    client: reqwest::Client,
    /// The orchestrator that answers now, if one does.
    current: watch::Receiver<Option<Address>>,
    turns: Semaphore,
}

/// Why a piece was not taken.
enum Untaken {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Final(Error),
}

impl Uploads {
    /// `tls` connects to the orchestrator as who this node is.
    pub(crate) fn new(
        tls: ClientConfig,
        current: watch::Receiver<Option<Address>>,
    ) -> Result<Self, crate::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(crate::Error::Client)?;
        Ok(Self { client, current, turns: Semaphore::new(AT_ONCE_MAX) })
    }

    /// Hands an archive over. Goes on for as long as the orchestrator does not refuse it: without one the node has nobody
    /// to report an end to.
    pub(super) async fn deliver(&self, parcel: &Parcel, archive: &Path) -> Result<Published, Error> {
        // Never closed.
        let _turn = self.turns.acquire().await;
        let (mut pause, mut offset) = (Pause::default(), 0);
        while offset < parcel.size {
            let address = self.orchestrator().await;
            match self.hand_over(parcel, archive, offset, &address).await {
                Ok(received) => {
                    pause.reset();
                    offset = received;
                }
                Err(Untaken::Final(error)) => return Err(error),
                Err(Untaken::Passing(cause)) => {
                    let wait = pause.next(spread());
                    tracing::debug!(execution = %parcel.execution, %cause, retry_in = ?wait, "results wait");
                    tokio::time::sleep(wait).await;
                }
            }
        }
        Ok(Published::Orchestrator { digest: parcel.digest, bytes: parcel.size })
    }

    /// The orchestrator that answers, once one does.
    async fn orchestrator(&self) -> Address {
        let mut current = self.current.clone();
        let found = current.wait_for(Option::is_some).await.ok().and_then(|address| address.clone());
        match found {
            Some(address) => address,
            // The link is gone and the node with it: whoever waits here is dropped.
            None => std::future::pending().await,
        }
    }

    /// Hands one piece over; gives how much has arrived.
    async fn hand_over(
        &self,
        parcel: &Parcel,
        archive: &Path,
        offset: u64,
        address: &Address,
    ) -> Result<u64, Untaken> {
        let piece = read_piece(archive.to_owned(), offset).await.map_err(Untaken::Final)?;
        let query = Piece { digest: parcel.digest, size: parcel.size, offset };
        let path = query.path(&parcel.job, &parcel.execution);
        let request = self.client.put(format!("https://{address}{path}")).body(piece);
        let passing = |error: reqwest::Error| Untaken::Passing(error.without_url().to_string());
        let answer = request.send().await.map_err(passing)?;
        let status = answer.status();
        match status {
            StatusCode::OK | StatusCode::CONFLICT => {
                let Received { received } = answer.json().await.map_err(passing)?;
                match received {
                    received if received > parcel.size => {
                        Err(Untaken::Final(Error::Refused(format!("it says it has {received} bytes of it"))))
                    }
                    received if received == offset => {
                        Err(Untaken::Passing("it did not take a piece".to_owned()))
                    }
                    received => Ok(received),
                }
            }
            _ if is_passing(status) => Err(Untaken::Passing(format!("it answers {status}"))),
            _ => {
                let words = answer.text().await.map_err(passing)?;
                let words: String = words.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect();
                Err(Untaken::Final(Error::Refused(format!("{words} (status {})", status.as_u16()))))
            }
        }
    }
}

/// A full disk is said in so many words; whoever runs the orchestrator has to do something about it.
fn is_passing(status: StatusCode) -> bool {
    let is_known = matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
    );
    is_known || status.is_server_error() && status != StatusCode::INSUFFICIENT_STORAGE
}

async fn read_piece(archive: PathBuf, offset: u64) -> Result<Bytes, Error> {
    let read = move || -> io::Result<Bytes> {
        let file = File::open(archive)?;
        let left = file.metadata()?.len().saturating_sub(offset);
        let mut piece = vec![0; usize::try_from(left).unwrap_or(usize::MAX).min(PIECE_BYTES_MAX)];
        file.read_exact_at(&mut piece, offset)?;
        Ok(Bytes::from(piece))
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(piece)) if piece.is_empty() => Err(Error::Missing),
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Error::Missing),
        Ok(Err(error)) => Err(Error::disk(&error)),
        Err(error) => Err(Error::Disk(error.to_string())),
    }
}
