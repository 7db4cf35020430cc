//! Secrets: kept locked, given to the nodes that run what they are for, and never shown.
//!
//! Who may have one is asked twice: when a job is accepted ([`mod@grant`]), and when it is given to a node, which is with the
//! assignment ([`mod@ahead`]) or when the node asks for it ([`mod@deliver`]).

mod ahead;
mod deliver;
mod grant;
mod keys;
mod plan;
mod rotate;
pub(crate) mod scope;
mod sealed;
mod waiting;

pub(crate) use ahead::{AHEAD_MAX, Ahead, Placed};
pub(crate) use deliver::{Answers, deliver, deliver_sealed};
pub(crate) use grant::{Given, GivenSecret, Granting, NotGranted, Refusal};
pub use keys::KeySource;
pub(crate) use keys::Keys;
pub(crate) use plan::Plan;
pub(crate) use rotate::{NotRotated, rotate};
pub(crate) use waiting::Waiting;

use skrei_job::{JobId, secret::Name};
use skrei_vault::Context;

/// What a secret of a namespace is locked for.
pub(crate) fn stored(namespace: &str, name: &Name) -> Context {
    Context::new("skrei stored secret").with(namespace).with(name.as_str())
}

/// What a secret that was given with a job is locked for. All versions of the job may have it: one that is run again
/// takes it over as it is.
pub(crate) fn given(job: &JobId, name: &Name) -> Context {
    Context::new("skrei secret given with a job").with(job.as_str()).with(name.as_str())
}
