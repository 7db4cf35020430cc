//! The record of a call that is to change something.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use skrei_access::{Caller, Denied};
use skrei_job::Timestamp;

use super::strangers::{COUNTED_FOR, Judged};
use crate::{api::Api, clock, store};

/// Longest path and request id kept.
const TEXT_MAX_CHARS: usize = 300;

/// What a call was about, where its path does not say; handlers put it into their answer.
#[derive(Clone, Debug)]
pub(crate) struct Subject(pub(crate) String);

impl Subject {
    /// Marks an answer.
    pub(crate) fn of(self, answer: impl IntoResponse) -> Response {
        let mut answer = answer.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

/// A call, if it is to change something.
pub(super) struct Call {
    call: Option<store::Call>,
    kept: Duration,
}

/// A call that was recorded, if it was.
pub(super) struct Begun(Option<u64>);

impl Call {
    pub(super) fn of(request: &Request, route: Option<&str>, address: IpAddr, kept: Duration) -> Self {
        let method = request.method();
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Self { call: None, kept };
        }
        let cut = |text: &str| text.chars().take(TEXT_MAX_CHARS).collect::<String>();
        let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let path = request.uri().path();
        let call = store::Call {
            at: clock::now(),
            user: String::new(),
            method: "",
            address: address.to_string(),
            action: format!("{method} {}", route.map_or_else(|| cut(path), str::to_owned)),
            path: cut(path),
            request: cut(id),
        };
        Self { call: Some(call), kept }
    }

    /// Recorded before it is carried out.
    pub(super) async fn begins(self, api: &Api, caller: &Caller) -> Begun {
        let Some(call) = self.call else { return Begun(None) };
        let call = store::Call { user: caller.name.clone(), method: caller.method.as_str(), ..call };
        let oldest = oldest(call.at, self.kept);
        Begun(Some(api.orchestrator.store.call_begins(call, oldest).await))
    }

    /// A call by nobody we know. A few of them are recorded each, and of more how many there were.
    pub(super) async fn refused(self, api: &Api, from: IpAddr, denied: &Denied, status: StatusCode) {
        let Some(call) = self.call else { return };
        let store = &api.orchestrator.store;
        match api.door.strangers.judge(from, call.at, Instant::now()) {
            Judged::Recorded => {
                let oldest = oldest(call.at, self.kept);
                let number = store.call_begins(call, oldest).await;
                store.call_ends(number, status.as_u16(), denied.to_string()).await;
            }
            Judged::Counted => {}
            Judged::CountedFirst => {
                let (door, store, kept) = (Arc::clone(&api.door), store.clone(), self.kept);
                let shutdown = api.shutdown.clone();
                tokio::spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep(COUNTED_FOR) => {}
                        () = shutdown.cancelled() => {}
                    }
                    if let Some(crowd) = door.strangers.take_count() {
                        let (call, status) = crowd.record();
                        let number = store.call_begins(call, oldest(clock::now(), kept)).await;
                        store.call_ends(number, status, crowd.to_string()).await;
                    }
                });
            }
        }
    }
}

/// How a call was answered.
pub(super) struct Ending {
    status: u16,
    subject: String,
}

impl Ending {
    pub(super) fn of(answer: &Response) -> Self {
        let subject = answer.extensions().get::<Subject>().map(|subject| subject.0.clone());
        Self { status: answer.status().as_u16(), subject: subject.unwrap_or_default() }
    }
}

impl Begun {
    pub(super) async fn ended(self, api: &Api, ending: Ending) {
        let Some(number) = self.0 else { return };
        api.orchestrator.store.call_ends(number, ending.status, ending.subject).await;
    }
}

fn oldest(now: Timestamp, kept: Duration) -> Timestamp {
    let kept = i64::try_from(kept.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_nanos(now.as_nanos().saturating_sub(kept))
}
