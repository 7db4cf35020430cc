//! Jobs: one file per action.

mod diff;
mod executions;
mod get;
mod history;
mod list;
mod logs;
mod plan;
mod rerun;
mod results;
mod rollout;
mod stop;
mod submit;
mod versions;

pub(super) use diff::diff;
pub(super) use executions::executions;
pub(super) use get::get;
pub(super) use history::history;
pub(super) use list::list;
pub(super) use logs::logs;
pub(super) use plan::plan;
pub(super) use rerun::rerun;
pub(super) use results::results;
pub(super) use rollout::{progress, steer};
pub(super) use stop::stop;
pub(super) use submit::{any_case, submit};
pub(super) use versions::versions;
