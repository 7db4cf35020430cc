//! Runs a thousand guests at once as tasks of an executor, with a limit on each.
//!
//! `cargo run -p skrei-runtime --example many`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::{Duration, Instant};

use skrei_runtime::{Config, Ending, Limits, Runtime, Sandbox};

const GUESTS: usize = 1000;

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // As many may exist as run here; on how many cores they compute is the executor's affair.
    let runtime = Runtime::new(Config { guests_max: GUESTS as u32, ..Config::default() })?;
    let module = runtime.load(skrei_test_guests::sleep())?;
    let executor = tokio::runtime::Builder::new_multi_thread().build()?;
    let start = Instant::now();
    executor.block_on(async {
        let mut guests = Vec::new();
        for _ in 0..GUESTS {
            let module = module.clone();
            let limits = Limits { wall_time: Some(Duration::from_secs(60)), ..Limits::default() };
            // Each sleeps for 200 ms, all at the same time.
            guests.push(tokio::spawn(async move {
                module.run(Sandbox::new().arg("200").limits(limits)).await.map(|outcome| outcome.ending)
            }));
        }
        for guest in guests {
            assert_eq!(guest.await??, Ending::Exited(0));
        }
        println!("{GUESTS} guests slept for 200 ms each, in {:?}", start.elapsed());
        Ok(())
    })
}
