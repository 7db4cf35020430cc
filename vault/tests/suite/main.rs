//! What locks, what seals, and what comes out of a redactor.
#![expect(clippy::unwrap_used, reason = "in a test, a failed step fails the test")]

mod keys;
mod locking;
mod redacting;
mod sealing;
mod showing;
