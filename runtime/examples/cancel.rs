//! Stops a guest from outside, here after it was seen to write a line.
//!
//! `cargo run -p skrei-runtime --example cancel`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use skrei_runtime::{CancelToken, Config, Ending, OutputSink, Runtime, Sandbox, Stream};

/// Writes a line, then never ends.
const ENDLESS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\10\00\00\00\08\00\00\00working\n")
    (func (export "_start")
        (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
        (loop (br 0))))"#;

/// Cancels the run that writes to it.
struct Impatient(CancelToken);

impl OutputSink for Impatient {
    fn write(&self, _: Stream, bytes: &[u8]) {
        print!("the guest says: {}", String::from_utf8_lossy(bytes));
        self.0.cancel();
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token = CancelToken::new();
    let sandbox = Sandbox::new().output(Arc::new(Impatient(token.clone()))).cancel(token);
    let outcome = Runtime::new(Config::default())?.load(ENDLESS.as_bytes())?.run_blocking(sandbox)?;
    println!("the guest was {} after {:?}", outcome.ending, outcome.usage.wall_time);
    assert_eq!(outcome.ending, Ending::Cancelled);
    Ok(())
}
