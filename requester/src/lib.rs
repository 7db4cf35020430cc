//! The orchestrator.
//!
//! A request enters through `api`, becomes an event for the one event loop (`decide`), whose decision is
//! made durable by the `store` and only then performed (`perform`): nodes are told over their links
//! (`nodes`), followers over the `feed`, and the caller gets its answer. What has been answered is never lost.
//!
//! One rule holds it together: nothing leaves the process that is not on disk.

mod api;
mod artifacts;
mod backup;
mod clock;
mod config;
mod connections;
mod decide;
mod expiry;
mod feed;
mod held;
mod housekeeping;
mod incoming;
mod nodes;
mod orchestrator;
mod peer;
mod perform;
mod results;
mod room;
mod secrets;
mod server;
mod store;
mod told;
mod wire;

pub use artifacts::Limits as ArtifactLimits;
pub use backup::{Backup, Error as BackupError, backup};
pub use config::{CERTIFICATE_LIFETIME, CONNECTIONS, Callers, Config, FollowLimits, Keep, Listeners};
pub use results::Limits as ResultLimits;
pub use secrets::KeySource;
pub use server::{Error, serve};
