//! Gives a guest a file that exists for it alone, and hears what the guest writes there, line by line.
//!
//! `cargo run -p skrei-runtime --example channel`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::{Arc, Mutex};

use skrei_runtime::{ChannelSink, Config, Mount, Runtime, Sandbox};

/// Opens `here` in its first directory, and writes two lines to it.
const TELLS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "here")
    (data (i32.const 16) "half way\ndone\n")
    (data (i32.const 32) "\10\00\00\00\0e\00\00\00")
    (func (export "_start")
        ;; the right to write (64), to descriptor 3's `here`, whose number goes to address 48
        (drop (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
            (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 48)))
        (drop (call $fd_write (i32.load (i32.const 48)) (i32.const 32) (i32.const 1) (i32.const 52)))))"#;

#[derive(Default)]
struct Lines(Mutex<String>);

impl ChannelSink for Lines {
    fn write(&self, bytes: &[u8]) {
        // What a guest writes is anything; here it is shown, so it is made text first.
        let text = String::from_utf8_lossy(bytes);
        if let Ok(mut heard) = self.0.lock() {
            heard.push_str(&text);
        }
    }
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = Runtime::new(Config::default())?.load(TELLS.as_bytes())?;
    let lines = Arc::new(Lines::default());
    let outcome = module.run_blocking(Sandbox::new().mount(Mount::channel(lines.clone(), "/told/here"))?)?;
    let heard = lines.0.lock().map_err(|_| "a listener failed")?.clone();
    for line in heard.lines() {
        println!("the guest says: {line}");
    }
    println!("the guest {}", outcome.ending);
    assert_eq!(heard, "half way\ndone\n");
    Ok(())
}
