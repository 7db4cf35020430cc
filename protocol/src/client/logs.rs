//! Reading a log over its websocket.

use std::{io, sync::Arc};

use futures_util::StreamExt;
use reqwest::header::AUTHORIZATION;
use skrei_job::Timestamp;
use skrei_tls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest, protocol::WebSocketConfig},
};
use url::Url;

use super::{Client, Error};
use crate::api::{
    BASE,
    log::{LogFrame, LogLine},
    time,
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
    /// Begin with what was written at this time.
    pub since: Option<Timestamp>,
    /// Say of each piece when it was written.
    pub timestamps: bool,
}

/// What an orchestrator of another version is found out by.
const TIMELESS: &str =
    "the orchestrator does not say when output was written: update it, or ask without a time";

/// An open log.
#[derive(Debug)]
pub struct Logs {
    endpoint: Url,
    socket: WebSocketStream<Box<dyn Connection>>,
    /// Whether pieces without a time are none of those that were asked for.
    needs_time: bool,
}

/// A connection, encrypted or not.
trait Connection: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + std::fmt::Debug> Connection for T {}

impl Logs {
    pub(super) async fn open(client: &Client, path: &str, query: &LogQuery) -> Result<Self, Error> {
        let (endpoint, tls) = (&client.endpoint, client.tls.clone());
        let mut url = endpoint.clone();
        // Cannot fail: all are schemes of the web, and the endpoint has a host.
        let _ = url.set_scheme(if tls.is_some() { "wss" } else { "ws" });
        url.set_path(&format!("{BASE}{path}"));
        if !query.execution.is_empty() {
            url.query_pairs_mut().append_pair("execution_id", &query.execution);
        }
        // An orchestrator that knows no `since` knows no times either, and is found out by that.
        let needs_time = query.timestamps || query.since.is_some();
        if let Some(since) = query.since {
            url.query_pairs_mut().append_pair("since", &time::rfc3339(since));
        }
        for (name, set) in [("follow", query.follow), ("tail", query.tail), ("timestamps", needs_time)] {
            if set {
                url.query_pairs_mut().append_pair(name, "true");
            }
        }
        let failed = |error| Error::socket(endpoint, &error);
        let mut request = url.as_str().into_client_request().map_err(failed)?;
        if let Some(authorization) = &client.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let config = WebSocketConfig::default().read_buffer_size(16 << 10);
        let connection = connect(endpoint, tls).await.map_err(|error| Error::connection(endpoint, &error))?;
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, connection, Some(config))
            .await
            .map_err(|error| refused(endpoint, error))?;
        Ok(Self { endpoint: endpoint.clone(), socket, needs_time })
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
                    if self.needs_time && frame.value.time.is_none() {
                        return Err(Error::Log(TIMELESS.to_owned()));
                    }
                    return Ok(Some(frame.value));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::socket(&self.endpoint, &error)),
            }
        }
    }
}

/// An answer other than a websocket says why in its body.
fn refused(endpoint: &Url, error: tungstenite::Error) -> Error {
    if let tungstenite::Error::Http(answer) = &error
        && let Some(body) = answer.body().as_deref()
        && let Ok(body) = serde_json::from_slice(body)
    {
        return Error::Api(Box::new(body));
    }
    Error::socket(endpoint, &error)
}

async fn connect(endpoint: &Url, tls: Option<Arc<ClientConfig>>) -> io::Result<Box<dyn Connection>> {
    let no_host = || io::Error::new(io::ErrorKind::InvalidInput, "the endpoint has no host");
    // Brackets of an IPv6 address belong to the URL.
    let host = endpoint.host_str().ok_or_else(no_host)?.trim_matches(['[', ']']);
    let port = endpoint.port_or_known_default().ok_or_else(no_host)?;
    let connection = tokio::time::timeout(super::CONNECT_TIMEOUT, TcpStream::connect((host, port))).await??;
    connection.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(Box::new(connection)) };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(tls).connect(name, connection).await?))
}
