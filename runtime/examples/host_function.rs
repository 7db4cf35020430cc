//! Gives guests a function of our own beside those of WASI: a counter that each run brings along.
//!
//! `cargo run -p skrei-runtime --example host_function`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use skrei_runtime::{Config, HostCall, HostError, HostFunctions, Runtime, Sandbox};

/// Counts to three with the host's counter, and names it.
const COUNTS: &str = r#"(module
    (import "shop" "count" (func $count (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "apples")
    (func (export "_start")
        (loop $more (br_if $more (i32.lt_u (call $count (i32.const 0) (i32.const 6)) (i32.const 3))))))"#;

fn count(call: &mut HostCall<'_>, name: u32, name_len: u32) -> Result<u32, HostError> {
    let what = call.text(name, name_len)?.to_owned();
    let counter = call.data::<AtomicU32>().ok_or_else(|| HostError::new("this run has no counter"))?;
    let count = counter.fetch_add(1, Ordering::Relaxed) + 1;
    println!("{count} {what}");
    Ok(count)
}

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    let functions = HostFunctions::new().add("shop", "count", count);
    let runtime = Runtime::with_host_functions(Config::default(), functions)?;
    let module = runtime.load(COUNTS.as_bytes())?;

    let counter = Arc::new(AtomicU32::new(0));
    let outcome = module.run_blocking(Sandbox::new().data(Arc::clone(&counter)))?;
    println!("the guest {}", outcome.ending);
    assert!(outcome.ending.is_success() && counter.load(Ordering::Relaxed) == 3);

    // A run without a counter is ended with our own words.
    println!("the guest {}", module.run_blocking(Sandbox::new())?.ending);
    Ok(())
}
