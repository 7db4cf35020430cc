//! Fetching results.

use bytes::Bytes;
use url::Url;

use super::{Client, Error, job_path, shown_url};
use crate::api::{List, execution::PublishedResult, job::GetJobResponse};

/// A download under way.
#[derive(Debug)]
pub struct Download {
    from: Url,
    answer: reqwest::Response,
}

impl Client {
    /// A job of a namespace (empty: the default one) with its executions.
    ///
    /// # Errors
    /// As [`Error`] says; so for all calls below.
    pub async fn job_in(&self, namespace: &str, job: &str) -> Result<GetJobResponse, Error> {
        let query = [("namespace", namespace.to_owned()), ("include", "executions".to_owned())];
        self.get(&job_path(job, ""), &query).await
    }

    /// Where the results of the executions of a job's latest version are.
    pub async fn results(&self, namespace: &str, job: &str) -> Result<Vec<PublishedResult>, Error> {
        let query = [("namespace", namespace.to_owned())];
        self.get::<List<PublishedResult>>(&job_path(job, "/results"), &query).await.map(|list| list.items)
    }

    /// Begins to download from a URL of whatever server. The orchestrator itself is trusted as by all calls, any other
    /// server if the system does; nobody is shown any credentials.
    pub async fn download(&self, url: &str) -> Result<Download, Error> {
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let from = parsed.ok_or_else(|| Error::BadEndpoint(url.to_owned()))?;
        let http = match from.origin() == self.endpoint.origin() {
            true => self.http.clone(),
            false => Self::trusting(from.as_str(), &Default::default())?.http,
        };
        let sent = http.get(from.clone()).send().await;
        let answer = sent.map_err(|error| Error::unreachable(&shown_url(&from), error))?;
        match answer.status() {
            status if status.is_success() => Ok(Download { from, answer }),
            status => Err(Error::NoDownload { server: host(&from), status: status.as_u16() }),
        }
    }
}

impl Download {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.answer.chunk().await.map_err(|error| Error::unreachable(&shown_url(&self.from), error))
    }
}

fn host(url: &Url) -> String {
    shown_url(url).as_str().trim_end_matches('/').to_owned()
}
