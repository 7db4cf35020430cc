//! A file behind a URL.

use std::time::Duration;

use reqwest::{Response, Url, header};
use skrei_job::download::Download;

use super::{Error, Rules};
use crate::artifacts::{Artifact, Artifacts, Incoming, Unkept};

/// Redirections followed for one download.
const REDIRECTS_MAX: usize = 5;

/// Tries of one download, and the pause after the first; each further one is twice as long.
const TRIES_MAX: u32 = 3;
const PAUSE_FIRST: Duration = Duration::from_millis(500);

impl Rules {
    /// The file, fetched now unless its digest is given and it is here.
    pub(crate) async fn download(
        &self,
        download: &Download,
        artifacts: &Artifacts,
    ) -> Result<Artifact, Error> {
        if let Some(found) = download.digest.and_then(|digest| artifacts.held(&digest)) {
            return Ok(found);
        }
        let fetched = tokio::time::timeout(self.time_max, self.download_patiently(download, artifacts)).await;
        let too_slow = |_| Error::TooSlow { from: download.to_string(), seconds: self.time_max.as_secs() };
        fetched.map_err(too_slow)?
    }

    async fn download_patiently(
        &self,
        download: &Download,
        artifacts: &Artifacts,
    ) -> Result<Artifact, Error> {
        let mut pause = PAUSE_FIRST;
        for _ in 1..TRIES_MAX {
            match self.download_once(download, artifacts).await {
                Err(error) if error.is_passing() => {
                    tracing::debug!(from = %download, %error, "a download is tried again");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                done => return done,
            }
        }
        self.download_once(download, artifacts).await
    }

    async fn download_once(&self, download: &Download, artifacts: &Artifacts) -> Result<Artifact, Error> {
        let answer = self.get(download).await?;
        let from = download.to_string();
        let incoming = artifacts.receive(self.bytes_max);
        let kept = self.receive(&from, answer, incoming).await?;
        let found = kept.digest();
        match download.digest {
            Some(expected) if expected != found => Err(Error::WrongDigest { from, expected, found }),
            _ => kept.keep().map_err(|cause| Error::Disk { from, cause: cause.to_string() }),
        }
    }

    /// The first answer that is no redirection.
    async fn get(&self, download: &Download) -> Result<Response, Error> {
        let from = || download.to_string();
        let mut url = download.url().clone();
        for _ in 0..=REDIRECTS_MAX {
            let answer = self.client(&url).await?.get(url.clone()).send().await;
            let answer = answer.map_err(|error| network(&from(), &error))?;
            let status = answer.status();
            if status.is_success() {
                return Ok(answer);
            }
            let location = answer.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
            let Some(next) = location.filter(|_| status.is_redirection()).and_then(|to| url.join(to).ok())
            else {
                return Err(Error::Answer { from: from(), status: status.as_u16() });
            };
            url = followed(&url, next).map_err(|()| Error::Downgrade { from: from() })?;
        }
        Err(Error::Redirects { from: from(), max: REDIRECTS_MAX })
    }

    async fn receive(
        &self,
        from: &str,
        mut answer: Response,
        mut incoming: Incoming,
    ) -> Result<crate::artifacts::Received, Error> {
        let too_large = || Error::TooLarge { from: from.to_owned(), bytes_max: self.bytes_max };
        if answer.content_length().is_some_and(|bytes| bytes > self.bytes_max) {
            return Err(too_large());
        }
        while let Some(chunk) = answer.chunk().await.map_err(|error| network(from, &error))? {
            if !incoming.push(chunk).await {
                break;
            }
        }
        incoming.finish().await.map_err(|unkept| match unkept {
            Unkept::TooLarge => too_large(),
            Unkept::Disk(cause) => Error::Disk { from: from.to_owned(), cause: cause.to_string() },
        })
    }
}

/// Where a redirection may lead: no further down than before.
fn followed(before: &Url, next: Url) -> Result<Url, ()> {
    let is_web = matches!(next.scheme(), "http" | "https");
    if is_web && !(before.scheme() == "https" && next.scheme() == "http") { Ok(next) } else { Err(()) }
}

/// Without the URL, in which there may be a signature.
pub(super) fn network(from: &str, error: &reqwest::Error) -> Error {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let cause = if std::error::Error::source(error).is_some() {
        cause.to_string()
    } else {
        "it broke off".to_owned()
    };
    Error::Network { from: from.to_owned(), cause }
}
