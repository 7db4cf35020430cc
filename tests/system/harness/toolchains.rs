//! Toolchains for guests, as `.ci/install/30-guest-toolchains.sh` leaves them.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use super::{root, skrei};

/// The folder that script fills.
pub(crate) fn folder() -> PathBuf {
    root().join("target/toolchains")
}

/// Where programs are looked for: there first.
pub(crate) fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(folder().join("bin")).chain(std::env::split_paths(&path));
    std::env::join_paths(paths).expect("paths without colons")
}

/// What projects in JavaScript and its like have installed: a project's own is a link to it.
pub(crate) fn node_modules() -> PathBuf {
    folder().join("npm/node_modules")
}

/// A command line of `skrei` that finds the toolchains, with what they keep from one build to the next beside them.
pub(crate) fn skrei_with_toolchains(arguments: &[&str]) -> Command {
    let mut command = skrei(arguments);
    command.env("PATH", path());
    // What the tools themselves want of the caller's environment.
    for name in ["HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "GOFLAGS", "GOPROXY"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("ZIG_GLOBAL_CACHE_DIR", folder().join("zig-cache"));
    command.env("XDG_CACHE_HOME", folder().join("cache"));
    command
}

/// Whether a program is to be had, by `NAME ARGUMENT` ending well.
pub(crate) fn has(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(argument).env("PATH", path());
    let ended = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    ended.is_ok_and(|ended| ended.success())
}

/// Says what is not tested, and why.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to see what was not tested")]
pub(crate) fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED: {what}: {why}");
}
