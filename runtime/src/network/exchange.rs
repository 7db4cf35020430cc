//! One HTTP request whose parts come as the guest has them, and its answer as it comes.

use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Limited;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::connect::{ConnectError, connect, secure};
use super::fetch::{FetchError, admit};
use super::{CONNECTION_HEADERS, Denial, Gate, Outbound};

/// How long the host waits at most for a connection, for the beginning of an answer, and for each further part of it.
pub(crate) const STEP_TIME_MAX: Duration = Duration::from_secs(30);

/// How long a request and its answer may take together.
const EXCHANGE_TIME_MAX: Duration = Duration::from_secs(600);

/// Bytes of a body, the guest's or the answer's. It is never whole in the host's memory.
pub(crate) const BODY_BYTES_MAX: u64 = 1 << 30;

/// Bytes of an answer's status line and headers. A guest may keep the headers of many.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How long the guest wants to wait for each step; never longer than the host does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) connection: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) between_bytes: Duration,
}

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    #[error("it is no URL of HTTP")]
    Url,
    #[error("`{0}` is no method for a request")]
    Method(Method),
    #[error(transparent)]
    Denied(Denial),
    #[error(transparent)]
    Connect(ConnectError),
    #[error("the connection took too long")]
    ConnectTime,
    #[error("the answer took too long")]
    AnswerTime,
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("the answer's headers are larger than they may be")]
    HeadTooLarge,
    #[error("the answer is larger than it may be")]
    TooLarge,
}

impl From<ConnectError> for ExchangeError {
    fn from(error: ConnectError) -> ExchangeError {
        match error {
            ConnectError::Denied(denial) => ExchangeError::Denied(denial),
            other => ExchangeError::Connect(other),
        }
    }
}

impl From<FetchError> for ExchangeError {
    fn from(error: FetchError) -> ExchangeError {
        match error {
            FetchError::Denied(denial) => ExchangeError::Denied(denial),
            // What is admitted or not is nothing but a URL by then.
            _ => ExchangeError::Url,
        }
    }
}

/// The host of a request, if the gate lets it through.
pub(crate) fn admitted(gate: &Gate, uri: &Uri) -> Result<Url, ExchangeError> {
    let url = Url::parse(&uri.to_string()).map_err(|_| ExchangeError::Url)?;
    admit(gate, &url)?;
    Ok(url)
}

/// Sends a request. To be called where connections live. `held` is kept for as long as there is a connection.
pub(crate) async fn exchange<B>(
    gate: &Gate,
    outbound: &Outbound,
    request: Request<B>,
    patience: Patience,
    held: impl Send + 'static,
) -> Result<Response<AnswerBody>, ExchangeError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let url = Url::parse(&request.uri().to_string()).map_err(|_| ExchangeError::Url)?;
    let (host, port) = admit(gate, &url)?;
    let (parts, body) = request.into_parts();
    let request = Request::from_parts(on_the_wire(&url, parts)?, Limited::new(body, BODY_BYTES_MAX as usize));
    let is_secure = url.scheme() == "https";
    let connecting = async {
        let stream = connect(gate, outbound, &host, port).await?;
        Ok::<_, ExchangeError>(if is_secure {
            Stream::Secure(Box::new(secure(outbound, &host, port, stream).await?))
        } else {
            Stream::Plain(stream)
        })
    };
    let stream = timeout(patience.connection, connecting).await.map_err(|_| ExchangeError::ConnectTime)??;
    match stream {
        Stream::Plain(stream) => send(stream, request, patience, held).await,
        Stream::Secure(stream) => send(stream, request, patience, held).await,
    }
}

enum Stream<P, S> {
    Plain(P),
    Secure(S),
}

async fn send<B>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Limited<B>>,
    patience: Patience,
    held: impl Send + 'static,
) -> Result<Response<AnswerBody>, ExchangeError>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(Box::pin(stream))).await?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        let _held = held;
        // What goes wrong is told to who waits for the answer.
        let _ = timeout(EXCHANGE_TIME_MAX, connection).await;
    }));
    let answer = timeout(patience.first_byte, sender.send_request(request)).await;
    let answer = answer.map_err(|_| ExchangeError::AnswerTime)??;
    // While it is read there is a bound too, but a rough one.
    let head = answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if head.sum::<usize>() > HEAD_BYTES_MAX {
        return Err(ExchangeError::HeadTooLarge);
    }
    if answer.body().size_hint().lower() > BODY_BYTES_MAX {
        return Err(ExchangeError::TooLarge);
    }
    Ok(answer.map(|incoming| AnswerBody {
        incoming,
        left: BODY_BYTES_MAX,
        between_bytes: patience.between_bytes,
        patience: Box::pin(sleep(patience.between_bytes)),
        _connection: connection,
    }))
}

fn on_the_wire(url: &Url, mut parts: Parts) -> Result<Parts, ExchangeError> {
    // One that opens a way through the server is none for its content.
    if parts.method == Method::CONNECT {
        return Err(ExchangeError::Method(parts.method));
    }
    // What comes after the body is the guest's to announce.
    for name in CONNECTION_HEADERS.iter().filter(|name| **name != header::TRAILER) {
        parts.headers.remove(name);
    }
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| ExchangeError::Url)?;
    parts.headers.insert(header::HOST, host);
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    parts.uri = path.parse().map_err(|_| ExchangeError::Url)?;
    Ok(parts)
}

/// An answer's body; the connection is closed when it is dropped.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    incoming: Incoming,
    left: u64,
    between_bytes: Duration,
    patience: Pin<Box<Sleep>>,
    _connection: AbortOnDropHandle<()>,
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = ExchangeError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ExchangeError>>> {
        let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) else {
            ready!(self.patience.as_mut().poll(cx));
            return Poll::Ready(Some(Err(ExchangeError::AnswerTime)));
        };
        let Some(frame) = frame.transpose()? else { return Poll::Ready(None) };
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = self.left.checked_sub(bytes) else {
            return Poll::Ready(Some(Err(ExchangeError::TooLarge)));
        };
        self.left = left;
        if let Some(later) = Instant::now().checked_add(self.between_bytes) {
            self.patience.as_mut().reset(later);
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.incoming.size_hint()
    }
}
