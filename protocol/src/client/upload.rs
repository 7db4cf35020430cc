//! Sending a large artifact in pieces, over breaks.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, StatusCode};

use super::{ANSWER_TIMEOUT, Client, Error};
use crate::api::artifact::{ARTIFACT_PIECE_BYTES_MAX, Artifact, UPLOAD_OFFSET};

/// Breaks in a row before the upload is given up, and the pause after the first; it doubles each time.
const BREAKS_MAX: u32 = 4;
const BREAK_PAUSE: Duration = Duration::from_millis(300);

/// How long the answer to a piece may take; to the last one, when the whole is checked and on disk.
const PIECE_TIMEOUT: Duration = Duration::from_secs(120);

/// Whether trying again soon may help: the connection broke, or somebody else sends the same.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. } => true,
        Error::Api(body) => body.status == StatusCode::TOO_MANY_REQUESTS.as_u16(),
        _ => false,
    }
}

impl Client {
    /// Sends what the orchestrator does not have, from `offset` on.
    pub(super) async fn upload_in_pieces(
        &self,
        path: &str,
        content: Bytes,
        mut offset: usize,
    ) -> Result<Artifact, Error> {
        let mut breaks = 0;
        loop {
            // What it has of something else begins anew.
            offset = if offset < content.len() { offset } else { 0 };
            match self.send_piece(path, &content, offset).await {
                Ok(Sent::Whole(artifact)) => return Ok(artifact),
                Ok(Sent::Piece(received)) => (offset, breaks) = (received, 0),
                Err(error) if is_passing(&error) && breaks < BREAKS_MAX => {
                    tokio::time::sleep(BREAK_PAUSE * 2_u32.pow(breaks)).await;
                    breaks += 1;
                    let head = self.request(Method::HEAD, path, &[]).timeout(ANSWER_TIMEOUT);
                    if let Ok(answer) = self.answer(head).await {
                        offset = upload_offset(&answer);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_piece(&self, path: &str, content: &Bytes, offset: usize) -> Result<Sent, Error> {
        let end = content.len().min(offset + ARTIFACT_PIECE_BYTES_MAX);
        let upload = self
            .request(Method::PUT, path, &[])
            .header("Content-Type", "application/octet-stream")
            .header("Content-Range", format!("bytes {offset}-{}/{}", end - 1, content.len()))
            .timeout(PIECE_TIMEOUT)
            .body(content.slice(offset..end));
        let answer = self.answer(upload).await?;
        if answer.status() == StatusCode::ACCEPTED {
            return Ok(Sent::Piece(upload_offset(&answer)));
        }
        self.read_answer(answer).await.map(Sent::Whole)
    }
}

enum Sent {
    /// So much has come in.
    Piece(usize),
    Whole(Artifact),
}

/// How much of an artifact has come in, as an answer says.
pub(super) fn upload_offset(answer: &reqwest::Response) -> usize {
    let header = answer.headers().get(UPLOAD_OFFSET).and_then(|value| value.to_str().ok());
    header.and_then(|text| text.parse().ok()).unwrap_or(0)
}
