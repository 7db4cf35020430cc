//! `GET /orchestrator/jobs` (reference 3.3).

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_protocol::api::{List, job::Job};
use utoipa::IntoParams;

use crate::{
    api::{Api, error::ApiError, json, page::ListToken, query::Query, selector, wire},
    store::{JobQuery, Order},
};

/// Jobs in a page at most, also if no limit is asked for: what is listed is held in memory.
const PAGE_MAX: u32 = 1000;

/// How jobs are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(in crate::api) struct ListJobs {
    /// Empty or `*`: of all namespaces.
    namespace: String,
    /// Jobs in a page; 0: as many as fit, at most 1,000.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// From the page before. It remembers order, direction and limit, and counts more than they do.
    next_token: String,
    /// Default `created_at`.
    #[param(inline)]
    order_by: Option<OrderBy>,
    /// The last first.
    reverse: bool,
    /// Label selectors, all of which must hold: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
    labels: Vec<String>,
}

/// By what jobs are ordered.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    #[serde(alias = "create_time")]
    CreatedAt,
    #[serde(alias = "modify_time")]
    ModifiedAt,
    Id,
}

/// Jobs in pages.
#[utoipa::path(get, path = "/orchestrator/jobs", tag = "Jobs", operation_id = "listJobs",
    params(ListJobs), responses((status = 200, body = List<Job>)))]
pub(in crate::api) async fn list(
    State(api): State<Api>,
    Query(asked): Query<ListJobs>,
) -> Result<Response, ApiError> {
    let (order, reverse, limit, after) = match asked.next_token.as_str() {
        "" => {
            let order = match asked.order_by {
                None | Some(OrderBy::CreatedAt) => Order::Created,
                Some(OrderBy::ModifiedAt) => Order::Modified,
                Some(OrderBy::Id) => Order::Id,
            };
            (order, asked.reverse, asked.limit, None)
        }
        token => {
            let ListToken { order, reverse, limit, after } = ListToken::read(token)?;
            (order, reverse, limit, Some(after))
        }
    };
    let namespace = if asked.namespace == "*" { String::new() } else { asked.namespace };
    let labels = selector::parse(asked.labels.iter().map(String::as_str))?;
    let size = if limit == 0 { PAGE_MAX } else { limit.min(PAGE_MAX) };
    let query = JobQuery { namespace, labels, order, reverse, after, limit: size as usize };
    let page = api.orchestrator.store.jobs(query).await?;
    let next_token = page.next.map(|after| ListToken { order, reverse, limit, after }.write());
    let items = page.jobs.into_iter().map(|job| wire::job(&api, job)).collect();
    Ok(json(&List { next_token: next_token.unwrap_or_default(), items }))
}
