//! `GET /orchestrator/jobs` (reference 3.3).

use axum::{extract::State, response::Response};
use skrei_protocol::api::List;

use crate::{
    api::{Api, error::ApiError, json, page::ListToken, query::Query, selector, wire},
    store::JobQuery,
};

pub(in crate::api) async fn list(State(api): State<Api>, query: Query) -> Result<Response, ApiError> {
    let order = query.text("order_by");
    if !["", "created_at", "create_time", "id"].contains(&order) {
        return Err(ApiError::bad_request(format!(
            "jobs cannot be ordered by `{order}`, only by `created_at`"
        )));
    }
    // A token remembers how the list was asked for.
    let ListToken { offset, limit, newest_first } = match query.text("next_token") {
        "" => ListToken {
            offset: 0,
            limit: usize::try_from(query.number("limit")?).unwrap_or(usize::MAX),
            newest_first: query.flag("reverse")?,
        },
        token => ListToken::read(token)?,
    };
    let namespace = Some(query.text("namespace")).filter(|namespace| *namespace != "*").unwrap_or_default();
    let labels = selector::parse(query.all("labels"))?;
    let page = api
        .orchestrator
        .store
        .jobs(JobQuery { namespace: namespace.to_owned(), labels, newest_first, offset, limit })
        .await?;
    let next_token = match page.more {
        true => ListToken { offset: offset + page.jobs.len(), limit, newest_first }.write(),
        false => String::new(),
    };
    Ok(json(&List { next_token, items: page.jobs.into_iter().map(wire::job).collect() }))
}
