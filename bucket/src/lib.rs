//! Buckets of S3, or of something that speaks like it: which of them jobs may use, with whose credentials.
//!
//! A job names a bucket; whose credentials open it, and whether at all, is said by the owner of the machine ([`Access`]).
//! Credentials never come from a job, never go to an endpoint that a job chose, and never into a message.

mod access;
mod client;
mod keys;
mod rule;

pub use access::{Access, Denied, Intent};
pub use client::Pinned;
pub use keys::Keys;
pub use rule::{BucketRule, NotARule};
