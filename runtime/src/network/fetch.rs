//! One HTTP request and its answer, redirects included.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use super::connect::{ConnectError, connect, secure};
use super::{Attempt, CONNECTION_HEADERS, Denial, Gate, Host, Outbound};

/// How long a request may take, from looking its host up to the last byte of the answer, redirects included.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Redirects that are followed; as many as other clients follow.
const REDIRECTS_MAX: u32 = 10;

/// Bytes of an answer's status line and headers.
const HEAD_BYTES_MAX: usize = 256 << 10;

/// Headers that are meant for one host alone.
const SECRET: &[HeaderName] = &[header::AUTHORIZATION, header::COOKIE];

/// What a guest asks for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Bytes of the answer's body that are wanted; more is read and dropped.
    pub(crate) body_wanted: usize,
    /// Bytes that it may have at all.
    pub(crate) body_max: u64,
}

/// What it gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why it gets nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("it is no URL of HTTP")]
    Url,
    #[error(transparent)]
    Denied(Denial),
    #[error(transparent)]
    Connect(ConnectError),
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("it was redirected more than {REDIRECTS_MAX} times")]
    Redirects,
    #[error("it took longer than {TIME_MAX:?}")]
    Time,
    #[error("the answer is larger than it may be")]
    TooLarge,
}

impl From<ConnectError> for FetchError {
    fn from(error: ConnectError) -> FetchError {
        match error {
            ConnectError::Denied(denial) => FetchError::Denied(denial),
            other => FetchError::Connect(other),
        }
    }
}

/// Carries a request out. To be called where connections live.
pub(crate) async fn fetch(gate: &Gate, outbound: &Outbound, request: Request) -> Result<Answer, FetchError> {
    let following = follow(gate, outbound, request);
    tokio::time::timeout(TIME_MAX, following).await.unwrap_or(Err(FetchError::Time))
}

async fn follow(gate: &Gate, outbound: &Outbound, mut request: Request) -> Result<Answer, FetchError> {
    for name in CONNECTION_HEADERS.iter().chain([&header::CONTENT_LENGTH]) {
        request.headers.remove(name);
    }
    for _ in 0..=REDIRECTS_MAX {
        let (answer, connection) = send(gate, outbound, &request).await?;
        match redirected(&request, &answer) {
            Some(next) => request = next,
            None => {
                let (head, body) = answer.into_parts();
                let body = read(body, request.body_wanted, request.body_max).await?;
                drop(connection);
                return Ok(Answer { status: head.status, headers: head.headers, body });
            }
        }
    }
    Err(FetchError::Redirects)
}

/// What drives a connection; it is closed when this is dropped.
type Connection = AbortOnDropHandle<()>;

async fn send(
    gate: &Gate,
    outbound: &Outbound,
    request: &Request,
) -> Result<(Response<Incoming>, Connection), FetchError> {
    let (host, port) = admit(gate, &request.url)?;
    let stream = connect(gate, outbound, &host, port).await?;
    match request.url.scheme() {
        "https" => exchange(secure(outbound, &host, port, stream).await?, request).await,
        _ => exchange(stream, request).await,
    }
}

/// The host and port of a URL that may be asked for.
pub(crate) fn admit(gate: &Gate, url: &Url) -> Result<(Host, u16), FetchError> {
    let (host, port) = server(url)?;
    gate.admit(Attempt::Request { host: host.clone(), port }).map_err(FetchError::Denied)?;
    Ok((host, port))
}

/// The host and port of a URL that HTTP can be spoken with.
pub(crate) fn server(url: &Url) -> Result<(Host, u16), FetchError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(FetchError::Url);
    }
    let host = url.host_str().ok_or(FetchError::Url)?.parse().map_err(|_| FetchError::Url)?;
    let port = url.port_or_known_default().filter(|port| *port != 0).ok_or(FetchError::Url)?;
    Ok((host, port))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: &Request,
) -> Result<(Response<Incoming>, Connection), FetchError> {
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async {
        // What goes wrong is told to who waits for the answer.
        let _ = connection.await;
    }));
    let answer = sender.send_request(on_the_wire(request)?).await?;
    Ok((answer, connection))
}

fn on_the_wire(request: &Request) -> Result<hyper::Request<Full<Bytes>>, FetchError> {
    let Request { url, headers, .. } = request;
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut sent = hyper::Request::new(Full::new(request.body.clone()));
    *sent.method_mut() = request.method.clone();
    *sent.uri_mut() = path.parse().map_err(|_| FetchError::Url)?;
    *sent.headers_mut() = headers.clone();
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let host = HeaderValue::from_str(authority).map_err(|_| FetchError::Url)?;
    sent.headers_mut().insert(header::HOST, host);
    if !headers.contains_key(header::USER_AGENT) {
        let agent = HeaderValue::from_static(concat!("skrei/", env!("CARGO_PKG_VERSION")));
        sent.headers_mut().insert(header::USER_AGENT, agent);
    }
    Ok(sent)
}

/// Gives a URL's user and password the form in which they are sent, as other clients do.
pub(crate) fn authorize(url: &mut Url, headers: &mut HeaderMap) -> Result<(), FetchError> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decode(url.username()), decode(url.password().unwrap_or_default())].join(&b':');
    let value =
        HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).map_err(|_| FetchError::Url)?;
    headers.entry(header::AUTHORIZATION).or_insert(value);
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| FetchError::Url)
}

/// The request that an answer sends the guest to instead; it is judged like any other.
fn redirected<B>(request: &Request, answer: &Response<B>) -> Option<Request> {
    let keeps_method = match answer.status().as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return None,
    };
    let location = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    let mut next = Request { url: request.url.join(location).ok()?, ..request.clone() };
    if !keeps_method {
        next.body = Bytes::new();
        next.headers.remove(header::CONTENT_TYPE);
        if next.method != Method::HEAD {
            next.method = Method::GET;
        }
    }
    if next.url.origin() != request.url.origin() {
        for name in SECRET {
            next.headers.remove(name);
        }
    }
    Some(next)
}

async fn read(mut body: Incoming, wanted: usize, most: u64) -> Result<Vec<u8>, FetchError> {
    let (mut kept, mut count) = (Vec::new(), 0_u64);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        count += data.len() as u64;
        if count > most {
            return Err(FetchError::TooLarge);
        }
        let room = wanted - kept.len();
        kept.extend_from_slice(&data[..data.len().min(room)]);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> Request {
        let headers = HeaderMap::from_iter(
            [
                (header::AUTHORIZATION, "secret"),
                (header::ACCEPT, "*/*"),
                (header::CONTENT_TYPE, "text/plain"),
            ]
            .map(|(name, value)| (name, HeaderValue::from_static(value))),
        );
        Request {
            method: Method::POST,
            url: url.parse().unwrap(),
            headers,
            body: "body".into(),
            body_wanted: 0,
            body_max: 0,
        }
    }

    fn next(status: u16, location: &'static str) -> Option<Request> {
        let answer = Response::builder().status(status).header(header::LOCATION, location).body(()).unwrap();
        redirected(&request("https://example.org/a/b?c"), &answer)
    }

    #[test]
    fn a_redirect_is_another_request() {
        let found = next(302, "../d").unwrap();
        assert_eq!(
            (found.url.as_str(), found.method, found.body.len()),
            ("https://example.org/d", Method::GET, 0)
        );
        assert!(found.headers.contains_key(header::AUTHORIZATION));
        let kept = next(307, "/d").unwrap();
        assert_eq!((kept.method, &kept.body[..]), (Method::POST, &b"body"[..]));
        assert!(next(304, "/d").is_none());
        assert!(next(200, "/d").is_none());
    }

    #[test]
    fn what_is_meant_for_one_host_does_not_go_to_another() {
        for elsewhere in ["https://example.net/", "http://example.org/", "https://example.org:8443/"] {
            let next = next(307, elsewhere).unwrap();
            assert!(!next.headers.contains_key(header::AUTHORIZATION), "{elsewhere}");
            assert!(next.headers.contains_key(header::ACCEPT), "{elsewhere}");
        }
    }

    #[test]
    fn only_http_can_be_spoken() {
        for (url, expected) in [
            ("http://a/", Some(("a", 80))),
            ("https://A:8443/", Some(("a", 8443))),
            ("ftp://a/", None),
            ("file:///etc/passwd", None),
            ("data:,x", None),
            ("http://a:0/", None),
        ] {
            let found = server(&url.parse().unwrap()).ok();
            let found = found.as_ref().map(|(host, port)| (host.to_string(), *port));
            assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)), "{url}");
        }
    }
}
