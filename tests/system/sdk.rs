//! The libraries for guests, each tested by its own language's means. (The Rust one is part of the workspace.)

use std::process::Command;

use super::harness::{
    Ran, root,
    toolchains::{has, skipped},
};

#[test]
fn the_go_package_passes_its_tests() {
    if !has("go", "version") {
        return skipped("the Go package", "there is no Go");
    }
    let mut go = Command::new("go");
    let path = super::harness::toolchains::path();
    Ran::to_end(go.args(["test", "./..."]).env("PATH", path).current_dir(root().join("sdk/go"))).expect(0);
}

#[test]
fn the_python_module_passes_its_tests() {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "unittest", "-q"]).current_dir(root().join("sdk/python"));
    Ran::to_end(&mut python).expect(0);
}

#[test]
fn the_c_header_compiles_without_a_warning_and_does_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("test");
    let mut compiler = Command::new("cc");
    compiler.args(["-Wall", "-Wextra", "-Werror", "-std=gnu11", "test.c", "-lm", "-o"]).arg(&program);
    Ran::to_end(compiler.current_dir(root().join("sdk/c"))).expect(0);
    let files = directory.path().join("files");
    std::fs::create_dir(&files).unwrap();
    Ran::to_end(Command::new(&program).arg(&files)).expect(0);
}
