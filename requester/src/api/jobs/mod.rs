//! Jobs: one file per action.

mod executions;
mod get;
mod history;
mod list;
mod logs;
mod rollout;
mod stop;
mod submit;

pub(super) use executions::executions;
pub(super) use get::get;
pub(super) use history::history;
pub(super) use list::list;
pub(super) use logs::logs;
pub(super) use rollout::{progress, steer};
pub(super) use stop::stop;
pub(super) use submit::submit;
