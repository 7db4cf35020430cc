//! `GET /orchestrator/events`: the history as it becomes true, pushed (server-sent events).
//!
//! `job` narrows it to one job; `level=job` to entries about jobs as a whole. A reader that was cut off sends
//! the id of the last event it has seen as `Last-Event-ID` and misses nothing. Without it the stream of one job
//! begins with the job, and the stream of all begins now.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use skrei_job::JobId;
use skrei_protocol::api::event::StreamEvent;
use tokio_util::sync::CancellationToken;

use super::{Api, error::ApiError, lookup, query::Query, wire};
use crate::feed::Follower;

/// How often an idle stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(super) async fn follow(
    State(api): State<Api>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let job: Option<JobId> = match query.text("job") {
        "" => None,
        text => Some(lookup::job(&api, query.text("namespace"), text).await?.id),
    };
    let jobs_only = query.text("level") == "job";
    let after =
        match headers.get("last-event-id") {
            Some(id) => id.to_str().ok().and_then(|id| id.parse().ok()).ok_or_else(|| {
                ApiError::bad_request("`Last-Event-ID` is not one that this stream gave out")
            })?,
            None if job.is_some() => 0,
            None => api.orchestrator.store.position()?,
        };
    let orchestrator = &api.orchestrator;
    let follower = Follower::new(orchestrator.feed.clone(), orchestrator.store.clone(), job, after);
    let events = stream::unfold((follower, api.shutdown), move |(mut follower, shutdown)| async move {
        let event = next(&mut follower, jobs_only, &shutdown).await?;
        Some((Ok::<_, Infallible>(event), (follower, shutdown)))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The next event; none when the stream is to end. A reader that wants to go on connects again.
async fn next(follower: &mut Follower, jobs_only: bool, shutdown: &CancellationToken) -> Option<Event> {
    loop {
        let placed = tokio::select! {
            placed = follower.next() => placed,
            () = shutdown.cancelled() => return None,
        };
        let placed = match placed {
            Ok(placed) => placed?,
            Err(error) => {
                tracing::error!(%error, "an event stream ends: the store cannot be read");
                return None;
            }
        };
        if jobs_only && placed.entry.execution.is_some() {
            continue;
        }
        let event = StreamEvent { position: placed.position, entry: wire::entry(&placed.entry) };
        let event = Event::default().id(event.position.to_string()).json_data(event);
        return event.ok();
    }
}
