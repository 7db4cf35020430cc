//! One warm execution: this crate beside bare wasmtime with its own WASI, on the same engine settings.
//!
//! Both run the same guest with one directory mounted, standard output captured, a memory limit and epoch
//! interruption on, on one thread of one process, in turns. Printed are the medians in microseconds and their
//! ratio; the goal is 1.3 or less.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use skrei_runtime::{Config, Dir, Ending, Limits, Mode, Module, Mount, Runtime, Sandbox};

#[path = "warm/bare.rs"]
mod bare;

/// Turns each side gets, and runs in a turn: enough for a steady median within seconds.
const TURNS: usize = 200;
const RUNS_PER_TURN: u32 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    std::fs::write(temp.path().join("in.txt"), "contents")?;
    let executor = tokio::runtime::Builder::new_current_thread().build()?;
    let runtime = Runtime::new(Config::default())?;

    println!("{:<28}{:>10}{:>10}{:>8}", "guest", "bare, us", "skrei, us", "ratio");
    let guests: [(&str, &[u8], &[&str]); 3] = [
        ("prints and returns", skrei_test_guests::noop(), &[]),
        ("prints and exits", skrei_test_guests::exit(), &["0"]),
        ("reads a file", skrei_test_guests::probe(), &["read /data:in.txt"]),
    ];
    for (name, wasm, args) in guests {
        let module = runtime.load(wasm)?;
        let bare = bare::Bare::new(wasm)?;
        let mut ours = || executor.block_on(run(&module, temp.path(), args));
        let mut theirs = || executor.block_on(bare.run(temp.path(), args));
        assert_eq!(ours(), theirs(), "both sides see the same output");

        let (mut bare_times, mut skrei_times) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            bare_times.push(turn(&mut theirs));
            skrei_times.push(turn(&mut ours));
        }
        let (bare, skrei) = (median(bare_times), median(skrei_times));
        println!("{name:<28}{bare:>10.1}{skrei:>10.1}{:>8.2}", skrei / bare);
    }
    Ok(())
}

async fn run(module: &Module, dir: &Path, args: &[&str]) -> Vec<u8> {
    let dir = Dir::open_ambient_dir(dir, cap_std::ambient_authority()).expect("open the directory");
    let limits = Limits { wall_time: Some(Duration::from_secs(60)), ..Limits::default() };
    let sandbox = Sandbox::new().args(args.iter().copied()).limits(limits);
    let sandbox = sandbox.mount(Mount::dir(dir, "/data", Mode::ReadOnly)).expect("mount the directory");
    let outcome = module.run(sandbox).await.expect("run the guest");
    assert_eq!(outcome.ending, Ending::Exited(0));
    outcome.stdout.bytes
}

/// The time of one run, in microseconds.
fn turn(run: &mut impl FnMut() -> Vec<u8>) -> f64 {
    let start = Instant::now();
    for _ in 0..RUNS_PER_TURN {
        std::hint::black_box(run());
    }
    (start.elapsed() / RUNS_PER_TURN).as_secs_f64() * 1e6
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
