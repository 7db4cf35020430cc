//! The HTTP API: routes, and one file per action.

mod agent;
mod artifact;
mod auth;
mod error;
mod events;
mod gate;
mod jobs;
mod lookup;
mod nodes;
mod origin;
mod page;
mod query;
mod results;
mod selector;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, put},
};
use skrei_protocol::api::{
    BASE,
    error::{Code, ErrorBody},
};
use tokio_util::sync::CancellationToken;

use crate::orchestrator::Orchestrator;
use error::ApiError;
pub(crate) use origin::Origin;

/// Largest request body but for artifacts (reference 2.1): bounds what a job carries inline.
const BODY_MAX_BYTES: usize = 10 << 20;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) orchestrator: Arc<Orchestrator>,
    /// What clients call the API by.
    pub(crate) origin: Origin,
    /// Cancelled when streams must end.
    pub(crate) shutdown: CancellationToken,
}

/// The routes of the API.
pub(crate) fn router(orchestrator: Arc<Orchestrator>, origin: Origin, shutdown: CancellationToken) -> Router {
    let routes = Router::new()
        .route("/agent/alive", get(agent::alive))
        .route("/agent/version", get(agent::version))
        .route("/agent/node", get(agent::node))
        .route("/agent/config", get(agent::config))
        .route("/agent/debug", get(agent::debug))
        .route("/agent/authconfig", get(agent::auth_config))
        .route("/auth", get(auth::methods))
        .route("/auth/{method}", get(auth::method).post(auth::answer))
        .route("/orchestrator/jobs", put(jobs::submit).post(jobs::submit).get(jobs::list))
        .route("/orchestrator/jobs/diff", put(jobs::diff))
        .route("/orchestrator/jobs/plan", put(jobs::plan))
        .route("/orchestrator/jobs/{id}", get(jobs::get).delete(jobs::stop))
        .route("/orchestrator/jobs/{id}/executions", get(jobs::executions))
        .route("/orchestrator/jobs/{id}/history", get(jobs::history))
        .route("/orchestrator/jobs/{id}/logs", get(jobs::logs))
        .route("/orchestrator/jobs/{id}/versions", get(jobs::versions))
        .route("/orchestrator/jobs/{id}/rerun", put(jobs::rerun))
        .route("/orchestrator/jobs/{id}/results", get(jobs::results))
        .route("/orchestrator/jobs/{id}/rollout", get(jobs::progress).put(jobs::steer))
        .route("/orchestrator/nodes", get(nodes::list))
        .route("/orchestrator/nodes/{id}", get(nodes::get))
        .route("/orchestrator/events", get(events::follow))
        .route(&format!("{}/{{name}}", results::RESULTS_PATH), get(results::download))
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .route(
            "/orchestrator/artifacts/{digest}",
            // HEAD is answered by the GET route.
            get(artifact::head).put(artifact::store).layer(DefaultBodyLimit::disable()),
        );
    Router::new()
        .nest(BASE, routes)
        .route("/", get(|| async { Redirect::permanent("/api/v1/agent/version") }))
        .route("/version", get(|| async { Redirect::permanent("/api/v1/agent/version") }))
        .route("/livez", get(|| async { Redirect::permanent("/api/v1/agent/alive") }))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(gate::versions))
        .layer(middleware::from_fn(request_id))
        .with_state(Api { orchestrator, origin, shutdown })
}

async fn unknown_path(request: Request) -> ApiError {
    let path = request.uri().path().chars().take(200).collect::<String>();
    ErrorBody::new(Code::NotFound, format!("there is no `{path}` in this API")).into()
}

async fn wrong_method(method: Method) -> ApiError {
    ErrorBody::new(Code::MethodNotAllowed, format!("this path does not take {method}")).into()
}

/// Repeats the caller's request id, so that both sides can find the call in their logs.
async fn request_id(request: Request, next: Next) -> Response {
    const REQUEST_ID: &str = "x-request-id";
    let id: Option<HeaderValue> = request.headers().get(REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A JSON answer with status 200, as every success of this API.
fn json(body: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
