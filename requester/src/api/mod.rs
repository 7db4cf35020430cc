//! The HTTP API: routes, and one file per action.

mod agent;
mod answer;
mod artifact;
mod audit;
mod auth;
mod authority;
mod body;
mod error;
mod events;
mod followers;
mod gate;
mod guard;
mod jobs;
mod lookup;
mod nodes;
mod openapi;
mod origin;
mod page;
mod query;
mod results;
mod secrets;
mod segment;
mod selector;
mod tokens;
mod told;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use skrei_protocol::api::{
    BASE,
    error::{Code, ErrorBody},
};
use tokio_util::sync::CancellationToken;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::orchestrator::Orchestrator;
use error::ApiError;
use followers::Followers;
pub(crate) use origin::Origin;

/// Largest request body but for artifacts (reference 2.1): bounds what a job carries inline.
const BODY_MAX_BYTES: usize = 10 << 20;

/// Largest answer that is indented for people.
const ANSWER_MAX_BYTES: usize = 64 << 20;

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) orchestrator: Arc<Orchestrator>,
    /// What clients call the API by.
    pub(crate) origin: Origin,
    /// Places for those who follow.
    pub(crate) followers: Followers,
    /// Cancelled when streams must end.
    pub(crate) shutdown: CancellationToken,
    /// Who is let in.
    pub(crate) door: Arc<guard::Door>,
}

/// The routes of the API. `routes!` takes none that does not document itself: the OpenAPI document is made of them.
fn documented() -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::default()
        .routes(routes!(agent::alive))
        .routes(routes!(agent::version))
        .routes(routes!(agent::node))
        .routes(routes!(agent::config))
        .routes(routes!(agent::debug))
        .routes(routes!(agent::auth_config))
        .routes(routes!(audit::list))
        .routes(routes!(auth::methods))
        .routes(routes!(auth::who_am_i))
        .routes(routes!(auth::method, auth::answer))
        .routes(routes!(jobs::submit::submit, jobs::list::list))
        .routes(routes!(jobs::diff::diff))
        .routes(routes!(jobs::plan::plan))
        .routes(routes!(jobs::get::get, jobs::stop::stop))
        .routes(routes!(jobs::executions::executions))
        .routes(routes!(jobs::history::history))
        .routes(routes!(jobs::logs::logs))
        .routes(routes!(jobs::versions::versions))
        .routes(routes!(jobs::rerun::rerun))
        .routes(routes!(jobs::results::results))
        .routes(routes!(jobs::rollout::progress, jobs::rollout::steer))
        .routes(routes!(secrets::grants::grants, secrets::seal::seal))
        .routes(routes!(secrets::recipients::recipients))
        .routes(routes!(secrets::list::list))
        .routes(routes!(secrets::set::set, secrets::remove::remove))
        .routes(routes!(secrets::rotate_key::rotate_key))
        .routes(routes!(nodes::list))
        .routes(routes!(nodes::get, nodes::order))
        .routes(routes!(authority::get, authority::change))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(events::follow))
        .routes(routes!(results::download))
        .routes(routes!(artifact::head, artifact::store));
    OpenApiRouter::default().nest(BASE, routes)
}

/// The API, whole.
pub(crate) fn router(orchestrator: Arc<Orchestrator>, origin: Origin, shutdown: CancellationToken) -> Router {
    let door = Arc::new(guard::Door::new(&orchestrator.config));
    let followers = Followers::new(&orchestrator.config.follow);
    let api = Api { orchestrator, origin, followers, shutdown, door };
    let (routes, handlers) = documented().split_for_parts();
    let document = Bytes::from(openapi::document(&handlers).to_string());
    let served = async move || ([(header::CONTENT_TYPE, "application/json")], document).into_response();
    routes
        // `body::Body` bounds itself, with a better answer; this is for whatever else reads one.
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .route(&format!("{BASE}/openapi.json"), get(served))
        .route("/", get(|| async { moved("/api/v1/agent/version") }))
        .route("/version", get(|| async { moved("/api/v1/agent/version") }))
        .route("/livez", get(|| async { moved("/api/v1/agent/alive") }))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), guard::guard))
        .layer(middleware::from_fn(gate::versions))
        .layer(middleware::from_fn(answer::complete))
        .with_state(api)
}

/// Where something is (reference 2.1).
fn moved(to: &'static str) -> Response {
    (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to)]).into_response()
}

async fn unknown_path(request: Request) -> ApiError {
    let path = request.uri().path().chars().take(200).collect::<String>();
    ErrorBody::new(Code::NotFound, format!("there is no `{path}` in this API")).into()
}

async fn wrong_method(method: Method) -> ApiError {
    ErrorBody::new(Code::MethodNotAllowed, format!("this path does not take {method}")).into()
}

/// A JSON answer with status 200, as every success of this API.
fn json(body: &impl serde::Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
