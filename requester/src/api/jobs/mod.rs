//! Jobs: one file per action.

pub(super) mod diff;
pub(super) mod executions;
pub(super) mod get;
pub(super) mod history;
pub(super) mod list;
pub(super) mod logs;
pub(super) mod plan;
pub(super) mod rerun;
pub(super) mod results;
pub(super) mod rollout;
pub(super) mod stop;
pub(super) mod submit;
pub(super) mod versions;
