//! One warm execution: this crate beside bare wasmtime with its own WASI, on the same engine settings.
//!
//! Both run the same guest with standard output captured, a memory limit and epoch interruption on, on one thread of
//! one process, in turns: as a module on WASI preview 1 and as a component on 0.2 and on 0.3, with no directory mounted,
//! with one and with four. Printed are the medians in microseconds and their ratio; the goal is 1.2 or less. Then, of each kind,
//! a thousand guests that sleep: what memory the process holds for one of them.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::time::{Duration, Instant};

use skrei_runtime::{Config, Dir, Ending, Limits, Mode, Module, Mount, Runtime, Sandbox};
use skrei_test_guests::{self as p1, p2, p3};

#[path = "warm/bare.rs"]
mod bare;
#[path = "warm/parked.rs"]
mod parked;

/// Turns each side gets, and runs in a turn: enough for a steady median within seconds.
const TURNS: usize = 100;
const RUNS_PER_TURN: u32 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let temp = tempfile::tempdir()?;
    std::fs::write(temp.path().join("in.txt"), "contents")?;
    let executor = tokio::runtime::Builder::new_current_thread().build()?;
    let runtime = Runtime::new(Config::default())?;

    println!("{:<26}{:>7}{:>10}{:>10}{:>8}", "guest", "mounts", "bare, us", "skrei, us", "ratio");
    let read: &[&str] = &["read /0:in.txt"];
    let guests: [(&str, &[u8], &[&str], usize); 12] = [
        ("p1 prints and returns", p1::noop(), &[], 0),
        ("p1 prints and returns", p1::noop(), &[], 1),
        ("p1 prints and returns", p1::noop(), &[], 4),
        ("p1 prints and exits", p1::exit(), &["0"], 1),
        ("p1 reads a file", p1::probe(), read, 1),
        ("p2 prints and returns", p2::noop(), &[], 0),
        ("p2 prints and returns", p2::noop(), &[], 1),
        ("p2 prints and returns", p2::noop(), &[], 4),
        ("p2 reads a file", p2::probe(), read, 1),
        ("p3 prints and returns", p3::noop(), &[], 0),
        ("p3 prints and returns", p3::noop(), &[], 1),
        ("p3 reads a file", p3::probe(), read, 1),
    ];
    for (name, wasm, args, mounts) in guests {
        let module = runtime.load(wasm)?;
        let bare = bare::Bare::new(wasm)?;
        let mut ours = || executor.block_on(run(&module, temp.path(), mounts, args));
        let mut theirs = || executor.block_on(bare.run(temp.path(), mounts, args));
        assert_eq!(ours(), theirs(), "both sides see the same output");

        let (mut bare_times, mut skrei_times) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            bare_times.push(turn(&mut theirs));
            skrei_times.push(turn(&mut ours));
        }
        let (bare, skrei) = (median(bare_times), median(skrei_times));
        println!("{name:<26}{mounts:>7}{bare:>10.1}{skrei:>10.1}{:>8.2}", skrei / bare);
    }
    parked::print(&[("p1 sleeps", p1::sleep()), ("p2 sleeps", p2::sleep()), ("p3 sleeps", p3::sleep())])
}

async fn run(module: &Module, dir: &Path, mounts: usize, args: &[&str]) -> Vec<u8> {
    let limits = Limits { wall_time: Some(Duration::from_secs(60)), ..Limits::default() };
    let mut sandbox = Sandbox::new().args(args.iter().copied()).limits(limits);
    for number in 0..mounts {
        let dir = Dir::open_ambient_dir(dir, cap_std::ambient_authority()).expect("open the directory");
        let mount = Mount::dir(dir, format!("/{number}"), Mode::ReadOnly);
        sandbox = sandbox.mount(mount).expect("mount the directory");
    }
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
