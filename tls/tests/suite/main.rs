//! Pairs, right and wrong, the authority that makes them, and servers that take up new ones.
#![expect(clippy::unwrap_used, reason = "in a test, a failed step fails the test")]

mod given;
mod pairs;
mod serving;
