//! Compiles a Rust guest crate to WASI from the build script of the crate that embeds it.
//!
//! A build script names the guest's folder and a target directory, and gets back where the compiled modules
//! are: [`Guest::new`] → [`Guest::build`] → [`Modules::path`]. The guest is a cargo workspace of its own, with
//! its own `Cargo.lock`; it is built with the cargo and the toolchain of the outer build, but with none of the
//! outer build's flags or wrappers.
//!
//! ```no_run
//! // build.rs
//! let modules = skrei_guest_build::Guest::new("guest").build();
//! println!("cargo::rustc-env=GUEST_WASM={}", modules.path("deploy").display());
//! ```
//!
//! Everything here panics with one clear message on failure, because that is how a build script fails.
//! Where the target's standard library comes from is told in `docs/guide/guest-toolchain.md`.

mod env;
mod guest;
mod target;

pub use guest::{Guest, Modules};
pub use target::Target;
