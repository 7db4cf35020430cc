//! `GET /orchestrator/events`: the history as it becomes true, pushed (server-sent events).
//!
//! A reader that was cut off sends the id of the last event it has seen as `Last-Event-ID` and misses nothing. Without
//! it the stream of one job begins with the job, and every other begins now. A reader that is slow is served from the
//! store, at its own pace: it holds up nobody, and nothing of it waits in memory. Their number is bounded.
//!
//! How far a job's guests say they are is no history: events of type `progress`, the latest word only.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use serde::Deserialize;
use skrei_job::JobId;
use skrei_protocol::api::{
    error::{Code, ErrorBody},
    event::{Gap, PROGRESS, StreamEvent},
};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};

use super::{Api, error::ApiError, lookup, query::Query, told, wire};
use crate::{feed::Follower, store::Placed};

/// How often an idle stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is followed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Follow {
    /// Events of one job alone: its name, id or the beginning of its id.
    job: String,
    /// Namespace of the job, if it is named and not given by its id. Empty: `default`.
    namespace: String,
    /// Events of executions on one node alone, by its whole id.
    node: String,
    /// `job`: events of jobs as a whole alone.
    #[param(inline)]
    level: Option<Level>,
    /// With a job: also how far its guests say they are, as events of type `progress` whose data is a `ProgressEvent`.
    progress: bool,
}

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Level {
    All,
    Job,
}

/// What becomes true, as server-sent events whose data is a `StreamEvent`.
#[utoipa::path(get, path = "/orchestrator/events", tag = "Events", operation_id = "followEvents",
    params(Follow,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last event seen: go on after it")),
    responses(
        (status = 200, body = StreamEvent, content_type = "text/event-stream"),
        (status = 429, description = "As many follow as may", body = ErrorBody)))]
pub(super) async fn follow(
    State(api): State<Api>,
    Query(asked): Query<Follow>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let place = Arc::clone(&api.followers.events).try_acquire_owned().map_err(|_| crowded())?;
    let job: Option<JobId> = match asked.job.as_str() {
        "" => None,
        text => Some(lookup::job(&api, &asked.namespace, text).await?.id),
    };
    let store = &api.orchestrator.store;
    let seen = match headers.get("last-event-id") {
        None => None,
        Some(id) => {
            Some(id.to_str().ok().and_then(|id| id.trim().parse::<u64>().ok()).ok_or_else(|| {
                ApiError::bad_request("`Last-Event-ID` is not one that this stream gave out")
            })?)
        }
    };
    let after = match seen {
        Some(seen) => seen,
        None if job.is_some() => 0,
        None => store.position()?,
    };
    let gap = match seen.filter(|seen| *seen > 0) {
        Some(after) => {
            store.forgotten().await?.filter(|until| *until > after).map(|until| Gap { after, until })
        }
        None => None,
    };
    let wanted = Wanted { level: asked.level.unwrap_or(Level::All), node: asked.node };
    let following = Following {
        gap,
        told: told::Follower::new(&api, job.as_ref().filter(|_| asked.progress)),
        follower: Follower::new(api.orchestrator.feed.clone(), store.clone(), job, after),
        wanted,
        shutdown: api.shutdown,
        _place: place,
    };
    let events = stream::unfold(following, |mut following| async move {
        let event = following.next().await?;
        Some((Ok::<_, Infallible>(event), following))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A stream that is being read.
struct Following {
    gap: Option<Gap>,
    follower: Follower,
    told: told::Follower,
    wanted: Wanted,
    shutdown: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// Which entries.
struct Wanted {
    level: Level,
    node: String,
}

impl Wanted {
    fn has(&self, placed: &Placed) -> bool {
        let entry = &placed.entry;
        (self.level == Level::All || entry.execution.is_none())
            && (self.node.is_empty() || entry.details.get("NodeID").is_some_and(|node| *node == self.node))
    }
}

impl Following {
    /// The next event; none when the stream is to end. A reader that wants to go on connects again.
    async fn next(&mut self) -> Option<Event> {
        if let Some(gap) = self.gap.take() {
            return Event::default().event("gap").json_data(gap).ok();
        }
        loop {
            let placed = tokio::select! {
                placed = self.follower.next() => placed,
                // Without an id: a reader that comes back goes on with the history it has seen.
                news = self.told.next() => return Event::default().event(PROGRESS).json_data(news).ok(),
                () = self.shutdown.cancelled() => return None,
            };
            let placed = match placed {
                Ok(placed) => placed?,
                Err(error) => {
                    tracing::error!(%error, "an event stream ends: the store cannot be read");
                    return None;
                }
            };
            if self.wanted.has(&placed) {
                let event = StreamEvent { position: placed.position, entry: wire::entry(&placed.entry) };
                return Event::default().id(event.position.to_string()).json_data(event).ok();
            }
        }
    }
}

fn crowded() -> ApiError {
    let message = "as many follow the events as may";
    ErrorBody::new(Code::ResourceExhausted, message).hint("try again when others have gone").into()
}
