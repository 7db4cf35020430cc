//! The orchestrator from outside: its API through the real client, its node listener through a node made of words.

mod api;
mod harness;
mod jobs;
mod link;
mod restart;
