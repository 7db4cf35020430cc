//! Following the event stream, over breaks.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, StatusCode};

use super::{Client, Error};
use crate::api::{
    event::{PROGRESS, StreamEvent},
    told::ProgressEvent,
};

/// Attempts to connect again before giving up, and the pause before the first; it doubles each time.
const RECONNECTS_MAX: u32 = 5;
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// Longest line accepted, so that a broken server cannot fill the memory.
const LINE_MAX_BYTES: usize = 4 << 20;

/// What a stream gives.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// An entry of the history.
    Entry(Box<StreamEvent>),
    /// How far a guest says it is.
    Progress(ProgressEvent),
}

/// History entries in order, each once, also over a restart of the orchestrator.
#[derive(Debug)]
pub struct Events {
    client: Client,
    job: Option<String>,
    with_progress: bool,
    position: u64,
    answer: reqwest::Response,
    unread: BytesMut,
}

impl Events {
    pub(super) async fn open(client: Client, job: Option<String>, position: u64) -> Result<Self, Error> {
        let answer = connect(&client, job.as_deref(), false, position).await?;
        Ok(Self { client, job, with_progress: false, position, answer, unread: BytesMut::new() })
    }

    pub(super) async fn open_with_progress(client: Client, job: String) -> Result<Self, Error> {
        let answer = connect(&client, Some(&job), true, 0).await?;
        Ok(Self { client, job: Some(job), with_progress: true, position: 0, answer, unread: BytesMut::new() })
    }

    /// The next entry; waits for it.
    ///
    /// # Errors
    /// If the orchestrator does not answer over several attempts, or no longer knows the job.
    pub async fn next(&mut self) -> Result<StreamEvent, Error> {
        loop {
            if let News::Entry(event) = self.next_news().await? {
                return Ok(*event);
            }
        }
    }

    /// The next entry, or the next a guest says of how far it is, if the stream was opened for both.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub async fn next_news(&mut self) -> Result<News, Error> {
        let mut is_progress = false;
        loop {
            if let Some(line) = self.take_line() {
                if let Some(kind) = line.strip_prefix(b"event: ") {
                    is_progress = kind == PROGRESS.as_bytes();
                } else if let Some(data) = line.strip_prefix(b"data: ") {
                    return self.news(data, is_progress);
                }
                continue;
            }
            match self.answer.chunk().await {
                Ok(Some(chunk)) if self.unread.len() + chunk.len() <= LINE_MAX_BYTES => {
                    self.unread.extend_from_slice(&chunk);
                }
                _ => self.reconnect().await?,
            }
        }
    }

    fn news(&mut self, data: &[u8], is_progress: bool) -> Result<News, Error> {
        let unexpected = |error| Error::unexpected(&self.client.endpoint, StatusCode::OK, &error);
        if is_progress {
            return serde_json::from_slice(data).map(News::Progress).map_err(unexpected);
        }
        let event: StreamEvent = serde_json::from_slice(data).map_err(unexpected)?;
        self.position = event.position;
        Ok(News::Entry(Box::new(event)))
    }

    fn take_line(&mut self) -> Option<Bytes> {
        let end = self.unread.iter().position(|byte| *byte == b'\n')?;
        let mut line = self.unread.split_to(end + 1);
        line.truncate(end);
        Some(line.freeze())
    }

    async fn reconnect(&mut self) -> Result<(), Error> {
        self.unread.clear();
        let mut attempt = 0;
        loop {
            tokio::time::sleep(RECONNECT_PAUSE * 2_u32.pow(attempt)).await;
            attempt += 1;
            match connect(&self.client, self.job.as_deref(), self.with_progress, self.position).await {
                Ok(answer) => {
                    self.answer = answer;
                    return Ok(());
                }
                Err(Error::Unreachable { .. }) if attempt < RECONNECTS_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }
}

async fn connect(
    client: &Client,
    job: Option<&str>,
    with_progress: bool,
    position: u64,
) -> Result<reqwest::Response, Error> {
    let progress = if with_progress { "true" } else { "" };
    let query = [("job", job.unwrap_or_default().to_owned()), ("progress", progress.to_owned())];
    let mut request =
        client.request(Method::GET, "/orchestrator/events", &query).header("Accept", "text/event-stream");
    if position > 0 {
        request = request.header("Last-Event-ID", position.to_string());
    }
    let answer = client.answer(request).await?;
    let status = answer.status();
    if status == StatusCode::OK {
        return Ok(answer);
    }
    let body = answer.bytes().await.map_err(|error| Error::unreachable(&client.endpoint, error))?;
    Err(match serde_json::from_slice(&body) {
        Ok(body) => Error::Api(Box::new(body)),
        Err(error) => Error::unexpected(&client.endpoint, status, &error),
    })
}
