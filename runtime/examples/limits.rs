//! Runs guests that want too much: time, processor time, memory and disk, each ended or refused by its limit.
//!
//! `cargo run -p skrei-runtime --example limits`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::time::Duration;

use skrei_runtime::{Config, Ending, Limit, Limits, Mode, Mount, Runtime, Sandbox};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new(Config::default())?;
    let run = |wasm: &[u8], sandbox: Sandbox, limits: Limits| -> Result<_, Box<dyn Error>> {
        let outcome = runtime.load(wasm)?.run_blocking(sandbox.limits(limits))?;
        println!("the guest {} after {:?}", outcome.ending, outcome.usage.wall_time);
        Ok(outcome)
    };
    let second = Some(Duration::from_secs(1));

    // It sleeps, and never calls the host while it spins: neither helps it.
    let sleeps = Sandbox::new().arg("60000");
    let late = run(skrei_test_guests::sleep(), sleeps, Limits { wall_time: second, ..Limits::default() })?;
    assert_eq!(late.ending, Ending::HitLimit(Limit::WallTime));
    let tenth = Some(Duration::from_millis(100));
    let spun =
        run(skrei_test_guests::spin(), Sandbox::new(), Limits { cpu_time: tenth, ..Limits::default() })?;
    assert_eq!(spun.ending, Ending::HitLimit(Limit::CpuTime));

    // It takes memory until there is none, and aborts.
    let small = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    let grown = run(skrei_test_guests::grow(), Sandbox::new().arg("abort"), small)?;
    assert_eq!(grown.ending, Ending::HitLimit(Limit::Memory));
    assert!(grown.usage.memory_bytes_peak <= 16 << 20);

    // It may write as much as it wants, and four bytes of it land.
    let host = tempfile::tempdir()?;
    let sandbox = Sandbox::new()
        .mount(Mount::open(host.path(), "/out", Mode::ReadWrite)?)?
        .arg("write /out:file.txt more-than-four-bytes");
    let full = run(skrei_test_guests::probe(), sandbox, Limits { disk_bytes: 4, ..Limits::default() })?;
    print!("{}", full.stdout);
    assert!(std::fs::metadata(host.path().join("file.txt"))?.len() <= 4);
    Ok(())
}
