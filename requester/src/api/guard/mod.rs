//! The door of the API: every request passes it, and nothing behind it asks again who is calling.
//!
//! In this order: where a browser was led here from, how often this client calls, who it is, whether they may, and, if
//! something is to change, the record of that.

mod origin;
mod record;
mod routes;
mod strangers;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody as _},
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::StreamExt as _;
use skrei_access::{Buckets, Caller, Denied};
use skrei_protocol::api::error::{Code, ErrorBody};
use skrei_tls::Client;

pub(crate) use record::Subject;

use self::{origin::Origins, record::Ending, routes::Need, strangers::Strangers};
use super::{Api, error::ApiError};
use crate::{
    config::{Callers, Config},
    peer::Peer,
};

/// Clients whose number of requests is remembered.
const CLIENTS_MAX: usize = 20_000;

/// A client may make so many times its rate at once.
const BURST_SECONDS: f64 = 2.0;

/// What it takes to decide on a request.
#[derive(Debug)]
pub(crate) struct Door {
    callers: Callers,
    origins: Origins,
    /// Those nobody knows, as far as their calls are recorded.
    strangers: Strangers,
    /// None where everybody may call as often as they like.
    requests: Option<Mutex<Buckets>>,
}

impl Door {
    pub(crate) fn new(config: &Config) -> Self {
        let callers = config.callers.clone();
        let origins = Origins::new(&config.allowed_origins, callers.names.as_deref());
        let rate = f64::from(callers.requests_per_second);
        let requests = (callers.requests_per_second > 0)
            .then(|| Mutex::new(Buckets::new(rate, rate * BURST_SECONDS, CLIENTS_MAX)));
        Self { callers, origins, strangers: Strangers::default(), requests }
    }

    /// Ends when a caller would be let in no more.
    pub(crate) async fn over(&self, caller: &Caller) {
        self.callers.access.over(caller).await;
    }

    /// Programs of this machine are its owner's own business.
    fn has_a_turn(&self, address: IpAddr) -> Result<(), Duration> {
        match &self.requests {
            Some(buckets) if !address.is_loopback() => {
                let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
                buckets.take(Client::from(address), Instant::now())
            }
            _ => Ok(()),
        }
    }

    async fn identify(&self, shown: Option<HeaderValue>, from: IpAddr) -> Result<Caller, Denied> {
        // What is not text cannot be understood.
        let shown = shown.as_ref().map(|value| value.to_str().unwrap_or("?"));
        self.callers.access.identify(shown, from).await
    }
}

/// Lets a request in, or answers it.
pub(super) async fn guard(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let door = &api.door;
    let origin = match door.origins.judge(&request, peer) {
        Ok(origin) => origin,
        Err(refusal) => return ApiError::from(*refusal).into_response(),
    };
    if origin.is_foreign() && request.method() == Method::OPTIONS {
        return origin.preflight();
    }
    let https_only = origin::https_only(&request, peer, door.callers.https_only.as_deref());
    let mut response = match door.has_a_turn(peer.address) {
        Err(wait) => too_often(wait),
        Ok(()) => {
            let route = request.extensions().get::<MatchedPath>().cloned();
            let route = route.as_ref().map(MatchedPath::as_str);
            let need = routes::need(route, request.method());
            let shown = request.headers().get(header::AUTHORIZATION).cloned();
            let identified = match need {
                Need::Nothing => None,
                _ => Some(door.identify(shown, peer.address).await),
            };
            let call = record::Call::of(&request, route, peer.address, door.callers.audit_kept);
            match identified {
                None => next.run(request).await,
                Some(Err(denied)) => {
                    tracing::debug!(from = %peer.address, "a caller was not let in: {denied}");
                    let refusal = unknown(&denied);
                    call.refused(&api, peer.address, &denied, refusal.status()).await;
                    refusal
                }
                Some(Ok(caller)) if !need.is_met_by(&caller) => {
                    let refusal = forbidden(&caller, need).into_response();
                    let ending = Ending::of(&refusal);
                    call.begins(&api, &caller).await.ended(&api, ending).await;
                    refusal
                }
                Some(Ok(caller)) => {
                    let begun = call.begins(&api, &caller).await;
                    request.extensions_mut().insert(caller.clone());
                    let response = next.run(request).await;
                    begun.ended(&api, Ending::of(&response)).await;
                    until_over(response, Arc::clone(door), caller)
                }
            }
        }
    };
    origin.mark(&mut response);
    if https_only {
        const A_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, A_YEAR);
    }
    response
}

/// An answer that goes on, such as a stream of events, ends when its caller would be let in no more. (A websocket is no
/// answer any more: who serves it sees to that.)
fn until_over(response: Response, door: Arc<Door>, caller: Caller) -> Response {
    if !caller.may_end() || response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| {
        let over = async move { door.over(&caller).await };
        Body::from_stream(body.into_data_stream().take_until(Box::pin(over)))
    })
}

/// Nobody knows who is calling.
fn unknown(denied: &Denied) -> Response {
    let code = match denied {
        Denied::TooOften(wait) => return too_often_after(denied, *wait),
        Denied::Busy(wait) => {
            let busy =
                denial(Code::ServiceUnavailable, denied.to_string(), "show a key: it takes no time to check");
            return retry_after(busy.into_response(), *wait);
        }
        Denied::UsersAway | Denied::ProviderAway(_) => Code::ServiceUnavailable,
        _ => Code::Unauthorized,
    };
    let hint = match denied {
        Denied::Missing => {
            "say who you are: SKREI_API_KEY, or SKREI_API_USERNAME and SKREI_API_PASSWORD, or `skrei auth sso login`"
        }
        Denied::Token(_) => "get a new one: `skrei auth sso login`",
        Denied::Expired(_) | Denied::Key => "ask for a new one: `skrei auth add` on the server's machine",
        _ => "",
    };
    let mut response = denial(code, denied.to_string(), hint).into_response();
    if code == Code::Unauthorized {
        const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"skrei\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, BEARER);
    }
    response
}

/// They are known, and may not.
fn forbidden(caller: &Caller, need: Need) -> ApiError {
    let message = format!("`{}` may not do this: it takes {need}", caller.name);
    let granted = format!(
        "granted is: {}",
        if caller.capabilities.is_empty() { "nothing".to_owned() } else { caller.capabilities.to_string() }
    );
    denial(Code::Forbidden, message, granted)
}

fn denial(code: Code, message: String, hint: impl Into<String>) -> ApiError {
    let mut body = ErrorBody::new(code, message.clone()).hint(hint);
    "Authorizer".clone_into(&mut body.component);
    body.details.insert("reason".to_owned(), message);
    body.into()
}

fn too_often_after(denied: &Denied, wait: Duration) -> Response {
    retry_after(denial(Code::ResourceExhausted, denied.to_string(), "").into_response(), wait)
}

fn too_often(wait: Duration) -> Response {
    let message = "this client calls more often than it may (API.RateLimit.Requests)".to_owned();
    retry_after(denial(Code::ResourceExhausted, message, "").into_response(), wait)
}

fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_secs().saturating_add(1);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}
