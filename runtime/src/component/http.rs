//! HTTP requests of components: wasmtime's own implementation of `wasi:http`, which sends nothing by itself. Every request
//! goes out as one of a module would: judged by its host's name, and again by the address that leads to.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::{Request, Response};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::ResourceTable;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks};

use super::OpenFiles;
use crate::network::connect::ConnectError;
use crate::network::exchange::{self, AnswerBody, ExchangeError, Patience, STEP_TIME_MAX};
use crate::network::{Attempt, Gate, Outbound};

/// Bytes of the headers of one request, with what it takes to have them: a guest may keep those of many.
const FIELDS_BYTES_MAX: usize = 32 << 10;

/// Bytes of a method of the guest's own, and of a host with its port. No server takes longer ones; the host keeps both with
/// every request that is being made.
pub(crate) const WORD_BYTES_MAX: usize = 1 << 10;

/// Bytes of a request's body that the host has at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// What wasmtime's implementation goes by.
pub(super) struct Http {
    context: WasiHttpCtx,
    client: Client,
}

/// Sends requests.
struct Client {
    gate: Gate,
    outbound: Arc<Outbound>,
    open: OpenFiles,
}

type Sent = Result<(Response<WasiBody>, Done), Error>;
type Done = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Http {
    pub(super) fn new(gate: &Gate, outbound: &Arc<Outbound>, open: &OpenFiles) -> Http {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS_BYTES_MAX);
        let client = Client { gate: gate.clone(), outbound: Arc::clone(outbound), open: open.clone() };
        Http { context, client }
    }

    pub(super) fn view<'h>(&'h mut self, table: &'h mut ResourceTable) -> WasiHttpCtxView<'h> {
        WasiHttpCtxView { ctx: &mut self.context, table, hooks: &mut self.client }
    }
}

impl WasiHttpHooks for Client {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _read: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let sending = self.send(request, options);
        Box::new(async move {
            let answer = sending?.await.map_err(|_| Error::InternalError(None))?.map_err(told)?;
            // The connection looks after itself, and is there as long as the answer.
            let done: Done = Box::new(std::future::ready(Ok(())));
            Ok((answer.map(|body| body.map_err(told).boxed_unsync()), done))
        })
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }
}

type Sending = AbortOnDropHandle<Result<Response<AnswerBody>, ExchangeError>>;

impl Client {
    fn send(&self, request: Request<WasiBody>, options: Option<RequestOptions>) -> Result<Sending, Error> {
        if self.gate.is_closed() {
            // Nothing is started for a guest that will get nowhere.
            exchange::admitted(&self.gate, request.uri()).map_err(told)?;
        }
        // A connection is an open file.
        let held = self.open.take_connection().map_err(|_| Error::ConnectionLimitReached)?;
        let executor = self.outbound.executor().map_err(|why| Error::InternalError(Some(why.to_string())))?;
        let (gate, outbound, patience) = (self.gate.clone(), Arc::clone(&self.outbound), patience(options));
        let sending = executor
            .spawn(async move { exchange::exchange(&gate, &outbound, request, patience, held).await });
        Ok(AbortOnDropHandle::new(sending))
    }
}

/// As long as the guest wants to wait, and no longer than the host does.
fn patience(options: Option<RequestOptions>) -> Patience {
    let options = options.unwrap_or_default();
    let bounded = |wanted: Option<Duration>| wanted.map_or(STEP_TIME_MAX, |wanted| wanted.min(STEP_TIME_MAX));
    Patience {
        connection: bounded(options.connect_timeout),
        first_byte: bounded(options.first_byte_timeout),
        between_bytes: bounded(options.between_bytes_timeout),
    }
}

/// What the guest is told.
fn told(error: ExchangeError) -> Error {
    match error {
        ExchangeError::Url => Error::HttpRequestUriInvalid,
        ExchangeError::Method(_) => Error::HttpRequestMethodInvalid,
        ExchangeError::Denied(denial) => match denial.attempt {
            Attempt::Connection { .. } => Error::DestinationIpProhibited,
            _ => Error::HttpRequestDenied,
        },
        ExchangeError::Connect(ConnectError::Lookup { .. }) => {
            Error::DnsError { rcode: Some("the name cannot be looked up".to_owned()), info_code: None }
        }
        ExchangeError::Connect(ConnectError::Unreachable { source, .. }) => match source.kind() {
            io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
            io::ErrorKind::TimedOut => Error::ConnectionTimeout,
            io::ErrorKind::NotFound => Error::DestinationNotFound,
            _ => Error::DestinationUnavailable,
        },
        ExchangeError::Connect(ConnectError::Tls { source, .. }) => {
            let cause = source.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
            match cause {
                Some(rustls::Error::InvalidCertificate(_)) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            }
        }
        // It is the gate's own, and was told apart before.
        ExchangeError::Connect(ConnectError::Denied(_)) => Error::HttpRequestDenied,
        ExchangeError::ConnectTime => Error::ConnectionTimeout,
        ExchangeError::AnswerTime => Error::ConnectionReadTimeout,
        ExchangeError::HeadTooLarge => Error::HttpResponseHeaderSectionSize(None),
        ExchangeError::TooLarge => Error::HttpResponseBodySize(Some(exchange::BODY_BYTES_MAX)),
        ExchangeError::Exchange(error) => exchange_failed(error),
    }
}

fn exchange_failed(error: hyper::Error) -> Error {
    if error.source().is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>()) {
        Error::HttpRequestBodySize(Some(exchange::BODY_BYTES_MAX))
    } else if error.source().is_some_and(|cause| cause.is::<Error>()) {
        // Of the guest's own body: wasmtime takes it out again.
        Error::Hyper(error)
    } else if error.is_parse_too_large() {
        Error::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else {
        Error::HttpProtocolError
    }
}
