//! What guests tell while they run (docs/reference/guest-contract.md).
//!
//! A guest writes lines to a file that exists for it alone, its channel, or calls functions that it imports
//! ([`host_functions`]); a [`Listener`] takes either, keeps the values and passes progress on. The `Board` holds the latest
//! word of every execution for the link.

mod board;
mod functions;
mod listener;
mod parameter;

pub(crate) use board::Board;
pub use functions::host_functions;
pub use listener::Listener;

/// Where a guest finds its channel.
pub const CHANNEL_PATH: &str = "/.skrei/channel";

/// The variable that tells a guest so.
pub const CHANNEL_VARIABLE: &str = "SKREI_CHANNEL";
