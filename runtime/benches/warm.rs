//! One warm execution: this crate beside bare wasmtime with its own WASI, on the same engine settings.
//!
//! Both run the same guest with standard output captured, a memory limit and epoch interruption on, in one process and in
//! turns, on one thread and on two at once: as a module on WASI preview 1 and as a component on 0.2 and on 0.3, with no
//! directory mounted, with one and with four. Printed are the medians in microseconds and their ratio; the goal is 1.2 or
//! less. Then, of each kind, a thousand guests that sleep: what memory the process holds for one of them.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use skrei_runtime::{Config, Dir, Ending, Limits, Mode, Module, Mount, Runtime, Sandbox};
use skrei_test_guests::{self as p1, p2, p3};
use tokio::runtime::Builder;

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
    let runtime = Runtime::new(Config::default())?;

    println!(
        "{:<26}{:>7}{:>8}{:>10}{:>10}{:>8}",
        "guest", "mounts", "threads", "bare, us", "skrei, us", "ratio"
    );
    let read: &[&str] = &["read /0:in.txt"];
    let guests: [(&str, &[u8], &[&str], usize); 13] = [
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
        ("p3 prints and returns", p3::noop(), &[], 4),
        ("p3 reads a file", p3::probe(), read, 1),
    ];
    for (name, wasm, args, mounts) in guests {
        let module = runtime.load(wasm)?;
        let bare = bare::Bare::new(wasm)?;
        let ours = async || run(&module, temp.path(), mounts, args).await;
        let theirs = async || bare.run(temp.path(), mounts, args).await;
        for threads in [1, 2] {
            let (bare, skrei) = compare(threads, &theirs, &ours);
            println!("{name:<26}{mounts:>7}{threads:>8}{bare:>10.1}{skrei:>10.1}{:>8.2}", skrei / bare);
        }
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

/// The medians of the times that one run takes, on so many threads at once, all of which run the same at a time.
fn compare(
    threads: usize,
    theirs: &(impl AsyncFn() -> Vec<u8> + Sync),
    ours: &(impl AsyncFn() -> Vec<u8> + Sync),
) -> (f64, f64) {
    let together = &Barrier::new(threads);
    let times: Vec<(f64, f64)> = thread::scope(|scope| {
        let measure = move || {
            let executor = Builder::new_current_thread().build().expect("an executor");
            assert_eq!(executor.block_on(ours()), executor.block_on(theirs()), "both see the same output");
            let turns = (0..TURNS).map(|_| {
                together.wait();
                let bare = turn(|| executor.block_on(theirs()));
                together.wait();
                (bare, turn(|| executor.block_on(ours())))
            });
            turns.collect::<Vec<_>>()
        };
        let measuring: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        measuring.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let (bare, skrei) = times.into_iter().unzip();
    (median(bare), median(skrei))
}

/// The time of one run, in microseconds.
fn turn(run: impl Fn() -> Vec<u8>) -> f64 {
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
