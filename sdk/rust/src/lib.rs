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

pub mod files;
pub mod log;

mod channel;
mod job;
mod json;
mod parameter;
mod start;

pub use channel::{progress, value, value_json};
pub use job::Job;
pub use json::ToJson;
pub use parameter::{BadParameter, Parameter, parameter};
pub use skrei_sdk_macros::main;
pub use start::{Error, Exit, Failure, Result, start};
