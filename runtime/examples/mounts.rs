//! Mounts one directory to read and one to write, and lets a guest copy a file from one to the other.
//!
//! `cargo run -p skrei-runtime --example mounts`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::time::Duration;

use skrei_runtime::{Config, Limits, Mode, Mount, Runtime, Sandbox};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let host = tempfile::tempdir()?;
    fs::create_dir(host.path().join("in"))?;
    fs::create_dir(host.path().join("out"))?;
    fs::write(host.path().join("in/greeting.txt"), "good morning")?;

    let runtime = Runtime::new(Config::default())?;
    let module = runtime.load(skrei_test_guests::probe())?;
    let sandbox = Sandbox::new()
        .mount(Mount::open(host.path().join("in"), "/in", Mode::ReadOnly)?)?
        .mount(Mount::open(host.path().join("out"), "/out", Mode::ReadWrite)?)?
        .limits(Limits { wall_time: Some(Duration::from_secs(5)), ..Limits::default() })
        .args(["read /in:greeting.txt", "write /out:answer.txt good-evening"])
        .args(["write /in:greeting.txt changed", "read /in:../out/answer.txt"]);
    let outcome = module.run_blocking(sandbox)?;

    // What the guest was told: the last two attempts fail, one by the mount's mode and one at its edge.
    print!("{}", outcome.stdout);
    assert_eq!(fs::read_to_string(host.path().join("out/answer.txt"))?, "good-evening");
    assert_eq!(fs::read_to_string(host.path().join("in/greeting.txt"))?, "good morning");
    Ok(())
}
