//! For programs that run inside skrei.
//!
//! A guest is an ordinary program: it has arguments, an environment, standard streams and the directories it was
//! granted. This crate adds what such programs need and the standard library lacks. None of it is needed to be a job,
//! and a program that uses it runs in any other WASI host, too, and natively.
//!
//! ```
//! # use skrei_sdk as skrei;
//! fn copy(files: &[&str]) -> std::io::Result<()> {
//!     for (done, file) in files.iter().enumerate() {
//!         skrei::progress(done as f64 / files.len() as f64, file);
//!         // ...
//!     }
//!     skrei::value("files", files.len());
//!     skrei::log::info("copied", &[("files", &files.len())]);
//!     Ok(())
//! }
//! # copy(&["a", "b"]).unwrap();
//! ```
//!
//! [`main`] makes a function with typed parameters a program; [`Job`] says what the program runs as; [`files`] replace
//! what is on the host in one step; [`progress`] and [`value`] tell the host how far the program is and what it found.
//! How they are told, and what happens where nobody listens, is in `docs/reference/guest-contract.md`.
//!
//! Depend on it as `skrei`: `skrei = { package = "skrei-sdk", path = "..." }`. It depends on nothing.
//!
//! # Without the standard library
//! `default-features = false` leaves `imported`, the functions of `skrei:job` as a module imports them, for programs that have
//! neither `std` nor an allocator. Feature `alloc` adds [`ToJson`] and [`Parameter`]. Such a program runs in skrei alone:
//! what it imports must be there.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "std")]
pub mod files;
#[cfg(target_arch = "wasm32")]
pub mod imported;
#[cfg(feature = "std")]
pub mod log;

#[cfg(feature = "std")]
mod channel;
#[cfg(feature = "std")]
mod job;
#[cfg(feature = "alloc")]
mod json;
#[cfg(feature = "alloc")]
mod parameter;
#[cfg(feature = "std")]
mod start;

#[cfg(feature = "std")]
pub use channel::{progress, value, value_json};
#[cfg(feature = "std")]
pub use job::Job;
#[cfg(feature = "alloc")]
pub use json::ToJson;
#[cfg(feature = "alloc")]
pub use parameter::Parameter;
#[cfg(feature = "std")]
pub use parameter::{BadParameter, parameter};
#[cfg(feature = "std")]
pub use skrei_sdk_macros::main;
#[cfg(feature = "std")]
pub use start::{Error, Exit, Failure, Result, start};
