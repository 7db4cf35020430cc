//! Following the event stream, over breaks.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Method, StatusCode};

use super::{Client, Error};
use crate::api::event::StreamEvent;

/// Attempts to connect again before giving up, and the pause before the first; it doubles each time.
const RECONNECTS_MAX: u32 = 5;
const RECONNECT_PAUSE: Duration = Duration::from_millis(200);

/// Longest line accepted, so that a broken server cannot fill the memory.
const LINE_MAX_BYTES: usize = 4 << 20;

/// History entries in order, each once, also over a restart of the orchestrator.
#[derive(Debug)]
pub struct Events {
    client: Client,
    job: Option<String>,
    position: u64,
    answer: reqwest::Response,
    unread: BytesMut,
}

impl Events {
    pub(super) async fn open(client: Client, job: Option<String>, position: u64) -> Result<Self, Error> {
        let answer = connect(&client, job.as_deref(), position).await?;
        Ok(Self { client, job, position, answer, unread: BytesMut::new() })
    }

    /// The next entry; waits for it.
    ///
    /// # Errors
    /// If the orchestrator does not answer over several attempts, or no longer knows the job.
    pub async fn next(&mut self) -> Result<StreamEvent, Error> {
        loop {
            if let Some(line) = self.take_line() {
                if let Some(data) = line.strip_prefix(b"data: ") {
                    let event: StreamEvent = serde_json::from_slice(data)
                        .map_err(|error| Error::unexpected(&self.client.endpoint, StatusCode::OK, &error))?;
                    self.position = event.position;
                    return Ok(event);
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
            match connect(&self.client, self.job.as_deref(), self.position).await {
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

async fn connect(client: &Client, job: Option<&str>, position: u64) -> Result<reqwest::Response, Error> {
    let query = [("job", job.unwrap_or_default().to_owned())];
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
