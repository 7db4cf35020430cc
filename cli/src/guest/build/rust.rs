//! Rust, by cargo.

use std::{path::Path, process::Command};

use crate::{
    error::Error,
    guest::{
        project::Project,
        tool::{self, Tool},
    },
};

const TARGETS: [&str; 2] = ["wasm32-wasip1", "wasm32-wasip2"];

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let cargo =
        Tool::on_path("cargo").ok_or_else(|| tool::missing("cargo", "install Rust: https://rustup.rs"))?;
    // Where the module is to be says what for.
    let target = TARGETS
        .into_iter()
        .find(|target| project.module.components().any(|part| part.as_os_str() == *target))
        .unwrap_or(TARGETS[0]);
    if !has_library(target, &project.directory) {
        return Err(tool::missing(
            &format!("the standard library for {target}"),
            &format!("rustup target add {target}"),
        ));
    }
    cargo.run(&project.directory, ["build", "--release", "--target", target], &[])
}

/// Asked where the project is: a file there may choose the toolchain.
fn has_library(target: &str, directory: &Path) -> bool {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let answer = rustc.args(["--print", "target-libdir", "--target", target]).current_dir(directory).output();
    // A compiler that cannot be asked says what is wrong when it is used.
    answer.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir())
}
