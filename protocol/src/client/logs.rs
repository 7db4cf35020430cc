//! Reading a log over its websocket.

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};
use url::Url;

use super::Error;
use crate::api::{
    BASE,
    log::{LogFrame, LogLine},
};

/// Which log, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// The execution; empty means the newest one that counts.
    pub execution: String,
    /// Go on until the execution ends.
    pub follow: bool,
    /// Begin now, not at the beginning.
    pub tail: bool,
}

/// An open log.
#[derive(Debug)]
pub struct Logs {
    endpoint: Url,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Logs {
    pub(super) async fn open(endpoint: &Url, path: &str, query: &LogQuery) -> Result<Self, Error> {
        let mut url = endpoint.clone();
        // Cannot fail: both are schemes of the web, and the endpoint has a host.
        let _ = url.set_scheme("ws");
        url.set_path(&format!("{BASE}{path}"));
        if !query.execution.is_empty() {
            url.query_pairs_mut().append_pair("execution_id", &query.execution);
        }
        for (name, set) in [("follow", query.follow), ("tail", query.tail)] {
            if set {
                url.query_pairs_mut().append_pair(name, "true");
            }
        }
        let failed = |error| Error::socket(endpoint, &error);
        let request = url.as_str().into_client_request().map_err(failed)?;
        let config = WebSocketConfig::default().read_buffer_size(16 << 10);
        let (socket, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true)
            .await
            .map_err(failed)?;
        Ok(Self { endpoint: endpoint.clone(), socket })
    }

    /// The next piece of output; none at the end.
    ///
    /// # Errors
    /// If the connection breaks, or with the orchestrator's own words.
    pub async fn next(&mut self) -> Result<Option<LogLine>, Error> {
        loop {
            match self.socket.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Text(text))) => {
                    let frame: LogFrame = serde_json::from_str(&text).map_err(|error| {
                        Error::unexpected(&self.endpoint, reqwest::StatusCode::SWITCHING_PROTOCOLS, &error)
                    })?;
                    if !frame.error.is_empty() {
                        return Err(Error::Log(frame.error));
                    }
                    return Ok(Some(frame.value));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::socket(&self.endpoint, &error)),
            }
        }
    }
}
