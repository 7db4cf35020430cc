//! Runs one untrusted WASI program in a sandbox where everything is denied until granted.
//!
//! A [`Runtime`] loads bytes into a [`Module`]; a module runs in a [`Sandbox`], any number of times, and each
//! run gives an [`Outcome`]:
//!
//! ```
//! use skrei_runtime::{Config, Ending, Runtime, Sandbox};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::new(Config::default())?;
//! let module = runtime.load(br#"(module (func (export "_start")))"#)?;
//! let outcome = module.run_blocking(Sandbox::new())?;
//! assert_eq!(outcome.ending, Ending::Exited(0));
//! # Ok(())
//! # }
//! ```
//!
//! A program is a core module on WASI preview 1 or a component of `wasi:cli/command` on WASI 0.2 or 0.3; bytes and
//! text are told apart by themselves, and everything said here holds for all.
//!
//! # What a guest can do
//! By default: compute within its [`Limits`], read clocks, draw random numbers, and write to two captured
//! streams. It has no files, no environment, no network, no standard input, and no way to learn about the host.
//!
//! Files come from [`Mount`]s alone. A guest sees exactly the mounts it was given, in their order and in exactly
//! their [`Mode`]; in a read-only one every change fails as POSIX says it fails on a read-only filesystem. No
//! path leads out of a mount: `..`, absolute paths and symbolic links are resolved beneath the mount's open
//! directory handle, so it does not matter what another process does to the tree meanwhile. Only regular files
//! and directories are opened.
//!
//! What a run adds to its writable mounts is bounded by a [`Quota`], and what it makes there has the mode and owner
//! of the mount's [`Ownership`].
//!
//! A [`Network`] is nothing, HTTP to a list of hosts, or all there is. Requests are made by the host, for modules that ask
//! by Bacalhau's `http_request` and for components that ask by `wasi:http`. What a guest may reach is judged before a
//! name is looked up and again before anything is connected, and what was denied is in the outcome, with the rule.
//!
//! Compiling is bounded, too, if a [`CompilerProcess`] does it; code kept in [`Config::code_dir`] is loaded only if
//! this installation wrote it.
//!
//! Limits hold for a guest that computes and never calls the host as for one that waits in a host call.
//!
//! An embedder may give a guest a file whose writes it takes itself ([`Mount::channel`]): a way for any program to tell
//! the host something, with nothing to import.
//!
//! An embedder may give guests functions of its own ([`HostFunctions`]), over numbers and memory or as interfaces in WIT;
//! they see the guest that calls, and what its run was given.
//!
//! # What is an error
//! What the guest does is its [`Ending`]: a code it exits with, a trap, a limit. An [`Error`] means that the run
//! could not be carried out.
//!
//! # Threads
//! A guest computes on the thread that polls [`Module::run`] or calls [`Module::run_blocking`]. No executor is
//! needed; one thread of the runtime's own keeps time. However many threads that are, only as many guests as
//! [`Config::computing_max`] says compute at once, by turns, so that a thousand that spin end in time like one.

mod config;
mod runtime;

mod cache;
mod compile;
mod engine;
mod footprint;
pub mod load;
mod module;

mod cancel;
mod limits;
mod output;
mod sandbox;
mod sources;
mod stdin;
mod terminals;

mod block_on;
mod clock;
mod cpu;
mod guest;
mod limiter;
mod moment;
mod run;
mod share;
mod turns;
mod watch;

mod component;
mod fs;
mod host;
mod link;
pub mod network;
mod p1;
mod p2;
mod p3;
mod requests;

mod error;
mod names;
mod outcome;

pub use cancel::CancelToken;
pub use compile::{CompilerProcess, serve_compiler};
pub use config::Config;
pub use error::Error;
pub use fs::{ChannelSink, Mode, Mount, MountError, MountUsage, Owner, Ownership, Permissions, Quota};
pub use host::{
    HostCall, HostError, HostFunction, HostFunctions, HostResult, HostValue, InstallError, InterfaceCall,
    InterfaceFunction, InterfaceResult, InterfaceValue,
};
pub use limits::{Limit, Limits};
pub use link::{Chain, LinkError, Linking};
pub use module::Module;
pub use network::{HostPattern, Network, NetworkUsage};
pub use outcome::{Ending, Outcome, Trap, Usage};
pub use output::{Captured, OutputFilter, OutputSink, Stream};
pub use runtime::Runtime;
pub use sandbox::Sandbox;
pub use sources::Deterministic;
pub use terminals::Terminals;

/// Open directory handles, of which [`Mount::dir`] and [`Mount::file`] take one.
pub use cap_std::fs::Dir;

/// The example in the project's README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
