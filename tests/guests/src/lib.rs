//! Guest programs for tests, compiled from `programs/` by the build script: to modules on WASI preview 1,
//! to components
//! on WASI 0.2 in [`p2`], and on 0.3, from a source of their own, in [`p3`].
//!
//! Each function gives the bytes of one program, ready to be loaded. A new program is a file in
//! `programs/src/bin` and a line in `build.rs`.

include!(concat!(env!("OUT_DIR"), "/programs.rs"));
