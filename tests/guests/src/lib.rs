//! Guest programs for tests, compiled from `programs/` to WASI preview 1 by the build script.
//!
//! Each function gives the bytes of one program, ready to be loaded. A new program is a file in
//! `programs/src/bin` and a line in `build.rs`.

include!(concat!(env!("OUT_DIR"), "/programs.rs"));
