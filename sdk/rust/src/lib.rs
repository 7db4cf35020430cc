//! Helpers for programs that run inside skrei.
//!
//! A guest is an ordinary program for `wasm32-wasip1`: it has arguments, an environment, standard streams and the
//! directories it was granted. This crate adds what such programs need and the standard library lacks, starting
//! with [`files`], which replace what is on the host in one step. It depends on nothing and builds for every WASI target and
//! natively.

pub mod files;
