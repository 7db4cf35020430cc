//! `GET /audit`: who changed what, newest first.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use skrei_job::Timestamp;
use skrei_protocol::api::{List, audit::AuditEntry, time::rfc3339};

use utoipa::IntoParams;

use super::{Api, error::ApiError, page, query::Query};
use crate::store::{AuditQuery, Audited};

/// Entries on a page unless the caller asks for another number, and at most.
const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1000;

/// The last second that the document allows: of the year 9999, in seconds since the epoch.
const SINCE_MAX: u64 = 253_402_300_799;

/// Which calls are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct ListCalls {
    /// Those of this user alone. Empty: of everybody.
    user: String,
    /// Those since then, in seconds since 1970.
    #[param(maximum = 253_402_300_799_i64)]
    since: u64,
    /// Entries on a page, 1000 at most; 0: 100.
    #[param(maximum = 4_294_967_295_i64)]
    limit: u32,
    /// Where to go on: of the page before.
    next_token: String,
}

/// Lists who changed what, or tried to, the newest call first. It takes `*` or `read:audit`.
#[utoipa::path(get, path = "/audit", tag = "Audit", operation_id = "listCalls", params(ListCalls),
    responses((status = 200, body = List<AuditEntry>)))]
pub(super) async fn list(
    State(api): State<Api>,
    Query(query): Query<ListCalls>,
) -> Result<Response, ApiError> {
    let limit = match query.limit {
        0 => LIMIT_DEFAULT,
        limit => limit.min(LIMIT_MAX),
    };
    if query.since > SINCE_MAX {
        return Err(ApiError::bad_request("`since` is seconds since the epoch, before the year 10000"));
    }
    let mut calls = api
        .orchestrator
        .store
        .calls(AuditQuery {
            before: page::read_history_token(&query.next_token)?,
            user: query.user,
            since: Timestamp::from_seconds(query.since),
            limit: u64::from(limit) + 1,
        })
        .await?;
    let has_more = calls.len() > limit as usize;
    calls.truncate(limit as usize);
    let last = calls.last().filter(|_| has_more);
    let next_token = last.map(|call| page::history_token(call.number)).unwrap_or_default();
    Ok(super::json(&List { next_token, items: calls.into_iter().map(entry).collect() }))
}

fn entry(call: Audited) -> AuditEntry {
    AuditEntry {
        seq_num: call.number,
        time: rfc3339(call.at),
        user: call.user,
        method: call.method,
        from: call.address,
        action: call.action,
        path: call.path,
        subject: call.subject,
        request_id: call.request,
        status: call.status.unwrap_or_default(),
    }
}
