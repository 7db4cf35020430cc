//! Runs a module file in a sandbox where nothing is granted, and passes on what it printed.
//!
//! `cargo run -p skrei-runtime --example hello -- module.wasm [ARGS]`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows what it does")]

use std::error::Error;
use std::process::ExitCode;

use skrei_runtime::{Config, Ending, Outcome, Runtime, Sandbox};

/// Stands in for a module file where none is given.
pub(crate) const HELLO: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\10\00\00\00\06\00\00\00hello\n")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))))"#;

pub(crate) fn run(wasm: &[u8], args: impl Iterator<Item = String>) -> Result<Outcome, Box<dyn Error>> {
    let runtime = Runtime::new(Config::default())?;
    let module = runtime.load(wasm)?;
    Ok(module.run_blocking(Sandbox::new().args(args))?)
}

#[allow(dead_code, reason = "the tests call what it calls")]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let wasm = match args.next() {
        Some(path) => std::fs::read(path)?,
        None => HELLO.into(),
    };
    let outcome = run(&wasm, args)?;
    print!("{}", outcome.stdout);
    eprint!("{}", outcome.stderr);
    eprintln!("the guest {} after {:?}", outcome.ending, outcome.usage.wall_time);
    Ok(match outcome.ending {
        Ending::Exited(0) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
